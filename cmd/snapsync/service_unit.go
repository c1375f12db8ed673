package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// text is the unit. It says itself why it is as it is, for whoever wants to change it. What systemd could
// do to confine the process and is left out would break mappings: a source may be anywhere, and so may a
// remote that is a directory, with any owner and any mode.
func (s *systemd) text(j *job) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, unitHead, strings.Join(s.command(), " "), serviceName, singleLine(j.log))
	if s.system {
		b.WriteString(unitOrder)
	}
	b.WriteString(unitService)
	fmt.Fprintf(&b, "ExecStart=%s\n", execLine(j.program, j.args))
	if s.system {
		fmt.Fprintf(&b, "User=%s\n", j.user.Username)
	}
	for _, kv := range j.env {
		fmt.Fprintf(&b, "Environment=%s\n", unitQuote(kv))
	}
	fmt.Fprintf(&b, "# Secrets and other variables, such as RCLONE_CONFIG_PASS; need not be there.\nEnvironmentFile=-%s\n", unitPathEscape(j.envFile))
	b.WriteString(unitLife + unitManners + unitConfined)
	if s.system {
		b.WriteString(unitConfinedSystem)
		if j.user.Uid == "0" {
			b.WriteString(unitCapabilities)
		} else {
			b.WriteString("CapabilityBoundingSet=\n")
		}
	}
	fmt.Fprintf(&b, "\n[Install]\nWantedBy=%s\n", s.target())
	return b.String(), nil
}

const unitHead = `# Written by 'snapsync service install', which replaces it. To change it: %s edit %s
# log: %s

[Unit]
Description=snapsync keeps remotes true to local directories
Documentation=https://github.com/snapsync/snapsync
# Never give up: what is wrong at night may be right in the morning.
StartLimitIntervalSec=0
`

const unitOrder = `# Not network-online.target: starting offline is fine. Being after these means stopping before them.
# Users may come from a directory on the network.
After=network.target local-fs.target remote-fs.target nss-user-lookup.target
`

const unitService = `
[Service]
# Ready means that every mapping is looked after. SIGHUP reads the config file again and reopens the log.
Type=notify
NotifyAccess=main
ExecReload=kill -HUP $MAINPID
`

const unitLife = `
# Status 2 is a mistake in the configuration, which no restart mends; 22, 23 and the like can mend themselves.
# 130 is an end by signal.
Restart=on-failure
RestartSec=30
RestartPreventExitStatus=2
SuccessExitStatus=130
# A process that hangs gets SIGABRT, and where its goroutines stood is in the journal. Go would end a crash with
# status 2 as well; so it shall die of the signal, but without a core, which would hold secrets.
WatchdogSec=2min
Environment=GOTRACEBACK=crash
LimitCORE=0
# Only the program itself gets SIGTERM, since it needs its ssh to finish what is under way within 10 s.
KillMode=mixed
TimeoutStopSec=30
`

const unitManners = `
# It works beside people.
Nice=10
IOSchedulingClass=idle
`

// What is missing here and why: MemoryDenyWriteExecute= and SystemCallFilter= hit the programs that
// --password-command and ssh remotes start, some of which compile at run time; RestrictSUIDSGID= and UMask= change
// the modes that a directory as a remote, with --metadata, has to hold; PrivateTmp=, ProtectHome= and
// ProtectSystem=strict hide or freeze places that people mirror from and to.
const unitConfined = `
# Confined as far as no mapping can notice. Paths are not: sources, and remotes that are directories, may be
# anywhere; modes are not: such a remote has to hold those of the source.
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
`

// An instance of a user cannot do these without PrivateUsers=, which hides who owns what.
const unitConfinedSystem = `# 'yes' leaves /etc writable: rclone keeps tokens in its configuration, which may be there.
ProtectSystem=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
`

const unitCapabilities = `# Of root's rights only those over files.
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETFCAP
`

// execLine writes a command as systemd.service(5) reads it. Variables are not replaced in its first word.
func execLine(program string, args []string) string {
	words := []string{unitQuote(program)}
	for _, arg := range args {
		words = append(words, strings.ReplaceAll(unitQuote(arg), "$", "$$"))
	}
	return strings.Join(words, " ")
}

// unitQuote makes s one word: quoted if it has to be, specifiers switched off, odd bytes escaped, which
// includes those that are not UTF-8, as systemd drops lines that have them.
func unitQuote(s string) string {
	var b strings.Builder
	plain := s != ""
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, s[i])
			plain = false
		case r == '%':
			b.WriteString("%%")
		case r == '"', r == '\\':
			b.WriteString(`\` + s[i:i+n])
			plain = false
		default:
			plain = plain && !strings.ContainsRune(" ';#", r)
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	if plain {
		return b.String()
	}
	return `"` + b.String() + `"`
}

// unitPathEscape is for settings that take one path up to the end of the line.
func unitPathEscape(path string) string { return strings.ReplaceAll(singleLine(path), "%", "%%") }

// singleLine keeps a path from becoming a line of its own.
func singleLine(s string) string { return strings.NewReplacer("\n", "?", "\r", "?").Replace(s) }
