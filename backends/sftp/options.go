package sftp

import (
	"fmt"
	"net"
	"os/user"

	rclonesftp "github.com/rclone/rclone/backend/sftp"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/config/configstruct"

	"github.com/snapsync/snapsync/backends/sftp/client"
	"github.com/snapsync/snapsync/engine/remote"
)

// options are rclone's, read in rclone's way.
type options struct{ rclonesftp.Options }

// understood are the options that this package follows, or that are about commands in the server's shell and reading
// while somebody else writes, which it does not do.
//
// The others lead to the generic Connection. They reach the server in another way (ssh, socks_proxy,
// http_proxy), ask on a terminal (ask_password), write to rclone's configuration (pin_host_key, and
// host_keys, which comes from it) or give up mtimes (set_modtime).
var understood = []string{
	"host", "user", "port", "pass", "key_pem", "key_file", "key_file_pass", "pubkey", "pubkey_file",
	"key_use_agent", "known_hosts_file", "use_insecure_cipher", "ciphers", "key_exchange", "macs",
	"host_key_algorithms", "subsystem", "server_command", "set_env", "encoding", "skip_links",
	"connections", "idle_timeout", "chunk_size", "concurrency", "disable_concurrent_writes",
	"disable_concurrent_reads",
	"path_override", "shell_type", "disable_hashcheck", "hashes", "md5sum_command", "sha1sum_command",
	"crc32sum_command", "sha256sum_command", "blake3sum_command", "xxh3sum_command", "xxh128sum_command",
	"use_fstat", "multithread_upload", "copy_is_hardlink", "description", "type",
}

func readOptions(m configmap.Getter) (*options, error) {
	opt := new(options)
	if err := configstruct.Set(m, &opt.Options); err != nil {
		return nil, fmt.Errorf("%w: options of the remote: %w", remote.ErrFatal, err)
	}
	if opt.User == "" {
		u, err := user.Current()
		if err != nil {
			return nil, fmt.Errorf("%w: the remote has no user, and who runs this is not known: %w", remote.ErrFatal, err)
		}
		opt.User = u.Username
	}
	if opt.Port == "" {
		opt.Port = "22"
	}
	if opt.Subsystem == "" {
		opt.Subsystem = "sftp"
	}
	if opt.Connections <= 0 {
		opt.Connections = sessions
	}
	return opt, nil
}

func (o *options) address() string { return net.JoinHostPort(o.Host, o.Port) }

const (
	rcloneChunk = 32 << 10 // chunk_size, unless the user chose another
	// maxWindow bounds what of one file is in flight. Resuming counts on it: see resume.go.
	maxWindow = 4 << 20
	// sessions is the default of connections. Each is one server process, which works on one request at a time. On two
	// cores 10,000 small files took 8 % longer with four: each costs a handshake and gets its requests in smaller
	// portions.
	sessions = 3
)

// chunk is how much one write carries: more than the protocol promises where a server tells its limit.
func (o *options) chunk(s *client.Server) int {
	n := min(int(o.ChunkSize), maxWindow)
	if n == rcloneChunk && s.MaxWrite > n {
		n = min(s.MaxWrite, bigChunk)
	}
	return max(n, 1)
}

const bigChunk = 255 << 10 // of OpenSSH's 256 KiB per packet

// window is how much of one file may be in flight.
func (o *options) window(chunk int) int {
	if o.DisableConcurrentWrites {
		return chunk
	}
	if int(o.ChunkSize) == rcloneChunk {
		return maxWindow
	}
	return max(chunk, min(maxWindow, chunk*o.Concurrency))
}
