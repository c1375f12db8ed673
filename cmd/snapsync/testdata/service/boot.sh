# boot.sh DIR PROGRAM: systemd as process 1 of its own namespaces, over a copy of / that keeps nothing. For TestServiceUnderSystemd.
#
# Called by unshare --mount --pid --fork --kill-child --uts --ipc --net --propagation private. DIR is an empty directory, PROGRAM
# becomes "/opt/100% %n sync/snapsync" in there, and "alice" (uid 4242) is somebody whose own systemd runs, without
# PAM, D-Bus and logind, which a machine may not have. What keeps all that from being had is the last line of stderr.
set -eu
dir=$1 program=$2 root=$1/root

# A control group that becomes the root of those in there. Whoever started this removes it: its name is in the command line.
mount -t tmpfs -o mode=755 tmpfs "$dir"
mkdir "$dir/above" "$dir/work" "$root" "$dir/groups"
mount -t cgroup2 cgroup2 "$dir/groups"
mkdir "$dir/groups/$GROUP"
echo 0 >"$dir/groups/$GROUP/cgroup.procs"
umount "$dir/groups"

mount -t overlay -o "lowerdir=/,upperdir=$dir/above,workdir=$dir/work" overlay "$root"
mkdir -p "$root/opt/100% %n sync"
touch "$root/opt/100% %n sync/snapsync"
mount --bind "$program" "$root/opt/100% %n sync/snapsync"

# What the machine itself has enabled, knows and keeps is not there, and its kernel cannot be changed.
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
for at in run tmp home root dev var/log etc/systemd/system etc/systemd/user; do
	mkdir -p "$root/$at"
	mount -t tmpfs -o mode=755 tmpfs "$root/$at"
done
chmod 1777 "$root/tmp"
mkdir "$root/dev/pts" "$root/dev/shm"
for node in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
	set -- $node
	mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
rm -f "$root/etc/machine-id"
echo 5a7c5a7c5a7c5a7c5a7c5a7c5a7c5a7c >"$root/etc/machine-id"

echo 'alice:x:4242:4242::/home/alice:/bin/sh' >>"$root/etc/passwd"
echo 'alice:x:4242:' >>"$root/etc/group"
mkdir "$root/home/alice" "$root/run/user" "$root/run/user/4242"
chown 4242:4242 "$root/home/alice" "$root/run/user/4242"
units=$root/etc/systemd/system
mkdir "$units/test.target.wants"
printf '%s\n' '[Unit]' 'Requires=basic.target' 'After=basic.target' 'AllowIsolate=yes' >"$units/test.target"
printf '%s\n' '[Service]' 'Type=notify' 'User=alice' 'Environment=XDG_RUNTIME_DIR=/run/user/4242' \
	'ExecStart=/lib/systemd/systemd --user' 'Delegate=yes' 'KillMode=mixed' >"$units/alice.service"
ln -s ../alice.service "$units/test.target.wants/alice.service"
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-timesyncd.service systemd-networkd.service; do
	ln -s /dev/null "$units/$unit"
done

exec unshare --cgroup --mount --propagation private sh -euc '
	cd "$1"
	mount -t cgroup2 cgroup2 sys/fs/cgroup
	mkdir .old
	pivot_root . .old
	umount -l .old
	mount --make-rshared /
	exec setpriv --bounding-set -sys_module,-sys_time,-sys_rawio,-sys_boot,-syslog \
		env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=test.target --log-target=journal --show-status=no
' sh "$root"
