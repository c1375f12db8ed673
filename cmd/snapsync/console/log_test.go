package console

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

func TestLineHandler(t *testing.T) {
	var b strings.Builder
	log := slog.New(&lineHandler{out: &b, level: slog.LevelInfo, mu: &sync.Mutex{}})
	log.With("run", 7).Log(t.Context(), LevelNotice, "cannot read", "path", "a/b", "err", errors.New("no way"))
	log.Debug("not this")
	log.WithGroup("g").Error("x", "k", 1)
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], ` NOTICE: a/b: cannot read run=7 err="no way"`) || !strings.HasSuffix(lines[1], " ERROR : x g.k=1") {
		t.Errorf("got %q", lines)
	}
}
