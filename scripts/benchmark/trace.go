//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// trace runs our program under strace and returns the system calls that filter selects, one a line.
func (b *bench) trace(filter []string, args ...string) ([]string, error) {
	if _, err := exec.LookPath("strace"); err != nil {
		return nil, fmt.Errorf("count system calls: %w: apt-get install strace", err)
	}
	log := b.at("strace.log")
	all := append([]string{"-f", "-qq", "-y", "-s", "0", "-o", log}, filter...)
	if _, err := b.do("strace", append(append(all, b.snapsync), args...)...); err != nil {
		return nil, err
	}
	return lines(log, 0)
}

// lines returns the lines of a log from an offset on. A log that is not there is empty.
func lines(file string, from int64) ([]string, error) {
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, err
	}
	var all []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		all = append(all, in.Text())
	}
	return all, in.Err()
}

func matching(all []string, pattern string) (n int64) {
	re := regexp.MustCompile(pattern)
	for _, line := range all {
		if re.MatchString(line) {
			n++
		}
	}
	return n
}

// returned sums the results of the calls whose line matches: of a read or a write, its bytes. A
// call that another thread interrupted is in two lines; the second, "resumed", has the result.
func returned(all []string, pattern string) (sum int64) {
	re := regexp.MustCompile(pattern)
	for _, line := range all {
		i := strings.LastIndex(line, " = ")
		if i < 0 || !re.MatchString(line) {
			continue
		}
		digits, _, _ := strings.Cut(line[i+3:], " ")
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil && n > 0 {
			sum += n
		}
	}
	return sum
}

// serverLogs are where the servers note every request.
var serverLogs = []string{"sftp.log", "sftp.out", "s3.log"}

// marks remembers how long the servers' logs are now.
func (b *bench) marks() map[string]int64 {
	m := map[string]int64{}
	for _, name := range serverLogs {
		if info, err := os.Stat(b.serverLog(name)); err == nil {
			m[name] = info.Size()
		}
	}
	return m
}

// since returns what the servers noted since the marks.
func (b *bench) since(marks map[string]int64) ([]string, error) {
	var all []string
	for _, name := range serverLogs {
		more, err := lines(b.serverLog(name), marks[name])
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return all, nil
}

func (b *bench) serverLog(name string) string { return filepath.Join(b.at("servers", "log"), name) }

func (b *bench) startServers() error {
	if b.serversUp {
		return nil
	}
	b.serversUp = true
	_, err := b.do("scripts/servers", "start", b.at("servers"), "sftp", "s3")
	return err
}
