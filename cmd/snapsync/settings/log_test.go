package settings

import (
	"testing"

	"github.com/snapsync/snapsync/cmd/snapsync/exit"
)

func TestRotationRefusals(t *testing.T) {
	for _, flags := range []RotationFlags{{LogFileMaxSize: "much"}, {LogFileMaxAge: "long"}, {LogFileMaxBackups: -1}} {
		if r, err := flags.rotation(); exit.Of(err).Status != exit.StatusUsage {
			t.Errorf("%+v: %v, %v", flags, r, err)
		}
	}
}
