package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	_ "github.com/rclone/rclone/backend/alias"
	_ "github.com/rclone/rclone/backend/crypt"
	_ "github.com/rclone/rclone/backend/ftp"
	_ "github.com/rclone/rclone/backend/local"
	_ "github.com/rclone/rclone/backend/memory"
	_ "github.com/rclone/rclone/backend/s3"
	_ "github.com/rclone/rclone/backend/sftp"
	_ "github.com/rclone/rclone/backend/union"
	_ "github.com/rclone/rclone/backend/webdav"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"

	"github.com/snapsync/snapsync/backends/rclone"
)

// TestHosts looks for the servers of remotes, those that others are built on included.
func TestHosts(t *testing.T) {
	if err := rclone.Init(t.Context(), rclone.Settings{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RCLONE_CONFIG_NAMED_TYPE", "sftp")
	t.Setenv("RCLONE_CONFIG_NAMED_HOST", "h")
	for _, tt := range []struct{ remote, want string }{
		{t.TempDir(), "[]"},
		{":memory:b", "[]"},
		{"nope:x", "[]"},
		{"named:x", "[h:22 greets]"},
		{"named,port=7:x", "[h:7 greets]"},
		{":sftp:x", "[]"},
		{":sftp,host='::1':x", "[[::1]:22 greets]"},
		{":sftp,host=h,ssh='ssh -J j h':x", "[]"},
		{":sftp,host=h,socks_proxy='p:1080':x", "[]"},
		{":sftp,host=h,http_proxy='http://p':x", "[]"},
		{":ftp,host=h:x", "[h:21 greets]"},
		{":ftp,host=h,port=990,tls=true:x", "[h:990]"},
		{":webdav,url='http://u:p@h/dav':x", "[h:80]"},
		{":webdav,url='https://h:8/dav':x", "[h:8]"},
		{":webdav,url='http://h',unix_socket=/run/s:x", "[]"},
		{":webdav,url='http://h','global.http_proxy'='http://p':x", "[]"},
		{":webdav:x", "[]"},
		{":s3,provider=AWS:b", "[s3.us-east-1.amazonaws.com:443]"},
		{":s3,provider=AWS,region=cn-north-1:b", "[s3.cn-north-1.amazonaws.com.cn:443]"},
		{":s3,provider=AWS,region=eu-west-1,use_dual_stack=true:b", "[s3.dualstack.eu-west-1.amazonaws.com:443]"},
		{":s3,provider=Minio,endpoint='h:9000':b", "[h:9000]"},
		{":s3,provider=Minio,endpoint='http://h:9000':b", "[h:9000]"},
		{":s3,provider=Other,endpoint='http://[':b", "[]"},
		{":alias,remote='named:x':y", "[h:22 greets]"},
		{":crypt,remote='named:x':y", "[h:22 greets]"},
		{":crypt,remote=':crypt,remote=/d:':y", "[]"},
		{":union,upstreams='named:x /d named:z:ro named,host=i:w':y", "[h:22 greets i:22 greets]"},
	} {
		if got := fmt.Sprint(hostsOf(fs.GetConfig(t.Context()), tt.remote, rclone.MaxNesting)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.remote, got, tt.want)
		}
	}
}

// TestHost does the same for backends that are not in this program.
func TestHost(t *testing.T) {
	ci := fs.GetConfig(t.Context())
	for _, tt := range []struct{ kind, options, want string }{
		{"smb", "host=h", "h:445"},
		{"b2", "", "api.backblazeb2.com:443"},
		{"b2", "endpoint=https://h", "h:443"},
		{"google cloud storage", "", "storage.googleapis.com:443"},
		{"onedrive", "region=cn", "microsoftgraph.chinacloudapi.cn:443"},
		{"azureblob", "account=a", "a.blob.core.windows.net:443"},
		{"azureblob", "account=a use_emulator=true", "<nil>"},
		{"azureblob", "sas_url=https://a.example/c?sig=s", "a.example:443"},
		{"swift", "auth=https://h/v3", "h:443"},
		{"swift", "auth=https://h/v3 storage_url=http://s:1/v1", "s:1"},
		{"pcloud", "hostname=eapi.pcloud.com", "eapi.pcloud.com:443"},
		{"hdfs", "namenode=h:1", "<nil>"},
		{"mega", "", "<nil>"},
	} {
		options := configmap.Simple{}
		for _, pair := range strings.Fields(tt.options) {
			name, value, _ := strings.Cut(pair, "=")
			options[name] = value
		}
		if got := fmt.Sprint(hostOf(ci, tt.kind, options)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.kind, tt.options, got, tt.want)
		}
	}
}

// TestHostBehindProxy needs a process of its own: the environment's proxies are read once in each.
func TestHostBehindProxy(t *testing.T) {
	const service = "https://h.example"
	if os.Getenv("HTTPS_PROXY") != "" && os.Getenv("SNAPSYNC_TEST_PROXIED") == "" {
		t.Skip("the environment has a proxy")
	}
	if os.Getenv("SNAPSYNC_TEST_PROXIED") != "" {
		if h := webHost(fs.GetConfig(t.Context()), service); h != nil {
			t.Errorf("with HTTPS_PROXY: got %s", h)
		}
		return
	}
	ctx, ci := fs.AddConfig(t.Context())
	if h := webHost(ci, service); h == nil {
		t.Error("without a proxy there is no host")
	}
	ci.HTTPProxy = "http://p:3128"
	if h := webHost(ci, service); h != nil {
		t.Errorf("with http_proxy: got %s", h)
	}
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestHostBehindProxy$")
	cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://p:3128", "NO_PROXY=", "SNAPSYNC_TEST_PROXIED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestOf calls real listeners: one that greets, the same while nobody listens, and one that takes calls
// in silence.
func TestOf(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-x\r\n"))
			conn.Close()
		}
	}()
	feel := Of(t.Context(), fmt.Sprintf(":sftp,host=127.0.0.1,port=%d:x", l.Addr().(*net.TCPAddr).Port), rclone.Options{}, nil)
	if err := feel(t.Context()); err != nil {
		t.Errorf("greeted: got %v", err)
	}
	l.Close()
	if err := feel(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: got %v", err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the calls
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	port := silent.Addr().(*net.TCPAddr).Port
	feel = Of(t.Context(), fmt.Sprintf(":webdav,url='http://127.0.0.1:%d':x", port), rclone.Options{}, nil)
	if err := feel(t.Context()); err != nil {
		t.Errorf("taken: got %v", err)
	}
	feel = Of(t.Context(), fmt.Sprintf(":sftp,host=127.0.0.1,port=%d:x", port), rclone.Options{}, nil)
	if err := feel(t.Context()); !errors.Is(err, errSilent) {
		t.Errorf("silent: got %v", err)
	}
	if Of(t.Context(), t.TempDir(), rclone.Options{}, nil) != nil {
		t.Error("a directory takes calls")
	}
}

// switchboard is a net without a kernel. Whoever is not in it refuses.
type switchboard struct {
	calls []string
	who   map[string]func(net.Conn)
}

func greeting(conn net.Conn)  { _, _ = conn.Write([]byte("SSH")) }
func silence(net.Conn)        {}
func hangingUp(conn net.Conn) { conn.Close() }

func (s *switchboard) dial(_ context.Context, _, address string) (net.Conn, error) {
	s.calls = append(s.calls, address)
	who := s.who[address]
	if who == nil {
		return nil, syscall.ECONNREFUSED
	}
	here, there := net.Pipe()
	go who(there)
	return here, nil
}

// TestCallTheSilent asks for a minute, once a second, about a server that takes calls and says nothing.
// It is called less and less often, and found within the longest pause once it is back; one that refuses
// is called each time.
func TestCallTheSilent(t *testing.T) {
	for name, tt := range map[string]struct {
		who   func(net.Conn)
		calls int
	}{"silent": {silence, 7}, "hangs up": {hangingUp, 8}, "refuses": {nil, 60}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &switchboard{who: map[string]func(net.Conn){"h": tt.who}}
				p := &servers{hosts: []*host{{address: "h", greets: true}}, dial: s.dial}
				for range 60 {
					begun := time.Now()
					if err := p.call(t.Context()); err == nil {
						t.Fatal("it takes calls")
					}
					if took := time.Since(begun); took > limit {
						t.Errorf("it took %v", took)
					}
					time.Sleep(time.Until(begun.Add(time.Second)))
				}
				if len(s.calls) != tt.calls {
					t.Errorf("%d calls, want %d", len(s.calls), tt.calls)
				}
				s.who["h"] = greeting
				back := time.Now()
				for p.call(t.Context()) != nil {
					time.Sleep(time.Second)
				}
				if took := time.Since(back); took > maxSilence {
					t.Errorf("it was found after %v", took)
				}
			})
		})
	}
}

// TestCallSeveral leaves the servers that are well alone until the one that is not answers.
func TestCallSeveral(t *testing.T) {
	s := &switchboard{who: map[string]func(net.Conn){"a": silence, "c": silence}}
	p := &servers{hosts: []*host{{address: "a"}, {address: "b"}, {address: "c"}}, dial: s.dial}
	for range 3 {
		if err := p.call(t.Context()); err == nil {
			t.Error("b does not answer, and nobody misses it")
		}
	}
	s.who["b"] = silence
	if err := p.call(t.Context()); err != nil {
		t.Errorf("all answer: %v", err)
	}
	if got := strings.Join(s.calls, " "); got != "a b b b b a c" {
		t.Errorf("called %s", got)
	}
}
