package rclone

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs/config"
)

// rclone is started once per process, so these tests run this binary again.
func TestMain(m *testing.M) {
	if os.Getenv("SNAPSYNC_TEST_INIT") == "" {
		os.Exit(m.Run())
	}
	options := map[string]string{}
	if key, value, given := strings.Cut(os.Getenv("SNAPSYNC_TEST_OPTION"), "="); given {
		options[key] = value
	}
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	err := Init(context.Background(), Settings{PasswordCommand: os.Getenv("SNAPSYNC_TEST_COMMAND"), Options: options, Log: log})
	if limit := regexp.MustCompile(`max (\d+) transactions/s`).FindStringSubmatch(said.String()); limit != nil {
		fmt.Printf("tpslimit=%s ", limit[1]) // in force: rclone says so when it begins to count
	}
	_, set := os.LookupEnv("RCLONE_CONFIG")
	var sections []string
	if err == nil { // else rclone would exit
		sections = config.FileSections()
	}
	fmt.Printf("path=%s sections=%q set=%v err=%v\n", config.GetConfigPath(), sections, set, err)
	os.Exit(0)
}

func initIn(t *testing.T, home string, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append([]string{"SNAPSYNC_TEST_INIT=1", "HOME=" + home, "PATH=" + os.Getenv("PATH")}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestInitLeavesNoDirectory(t *testing.T) {
	home := t.TempDir()
	out := initIn(t, home)
	if !strings.Contains(out, "err=<nil>") || !strings.Contains(out, "set=false") {
		t.Error(out)
	}
	left, err := os.ReadDir(home)
	if err != nil || len(left) > 0 {
		t.Errorf("the home directory holds %v, %v", left, err)
	}
}

// encrypted is a configuration with one remote, "m", and the password "secret".
func encrypted(t *testing.T, file string) {
	t.Helper()
	if err := config.SetConfigPassword("secret"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(config.ClearConfigPassword)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Encrypt(strings.NewReader("[m]\ntype = memory\n"), f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInitConfig(t *testing.T) {
	dir := t.TempDir()
	plain, secret := filepath.Join(dir, "plain.conf"), filepath.Join(dir, "secret.conf")
	if err := os.WriteFile(plain, []byte("[m]\ntype = memory\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	encrypted(t, secret)
	for _, tt := range []struct {
		name, want string
		env        []string
	}{
		{"plain", `sections=["m"] set=true err=<nil>`, []string{"RCLONE_CONFIG=" + plain}},
		{"none", `err=<nil>`, []string{"RCLONE_CONFIG=" + dir + "/none"}},
		{"directory", "is a directory", []string{"RCLONE_CONFIG=" + dir}},
		{"no password", "set RCLONE_CONFIG_PASS", []string{"RCLONE_CONFIG=" + secret}},
		{"password", `sections=["m"]`, []string{"RCLONE_CONFIG=" + secret, "RCLONE_CONFIG_PASS=secret"}},
		{"wrong password", "wrong password", []string{"RCLONE_CONFIG=" + secret, "RCLONE_CONFIG_PASS=no"}},
		{"command", `sections=["m"]`, []string{"RCLONE_CONFIG=" + secret, "SNAPSYNC_TEST_COMMAND=echo secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out := initIn(t, dir, tt.env...); !strings.Contains(out, tt.want) {
				t.Errorf("got %swant something about %q", out, tt.want)
			}
		})
	}
}
