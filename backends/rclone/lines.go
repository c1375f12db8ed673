package rclone

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// What an editor may put at the start of a text.
const (
	markUTF8    = "\xef\xbb\xbf"
	markUTF16LE = "\xff\xfe"
	markUTF16BE = "\xfe\xff"
)

// linesOf reads files of patterns or names as rclone does, "-" being stdin: without empty lines, comments and blanks around, unless
// they are raw. Carriage returns before line ends and a byte order mark at the start are left out in either case.
func linesOf(files []string, raw bool) (lines []string, err error) {
	for _, path := range files {
		in := io.ReadCloser(os.Stdin)
		if path != "-" {
			if in, err = os.Open(path); err != nil {
				return nil, fmt.Errorf("read filter: %w", err)
			}
		}
		found, err := readLines(in, raw)
		if path != "-" {
			err = errors.Join(err, in.Close())
		}
		if err != nil {
			return nil, fmt.Errorf("read filter %s: %w", path, err)
		}
		lines = append(lines, found...)
	}
	return lines, nil
}

func readLines(in io.Reader, raw bool) (lines []string, err error) {
	text := bufio.NewReader(in)
	mark, err := text.Peek(len(markUTF8))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case string(mark) == markUTF8:
		_, _ = text.Discard(len(markUTF8))
	case bytes.HasPrefix(mark, []byte(markUTF16LE)), bytes.HasPrefix(mark, []byte(markUTF16BE)):
		return nil, errors.New("it is UTF-16: save it as UTF-8")
	}
	scanner := bufio.NewScanner(text)
	for scanner.Scan() {
		line := scanner.Text()
		if !raw {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' || line[0] == ';' {
				continue
			}
		}
		lines = append(lines, line)
	}
	return lines, scanner.Err()
}
