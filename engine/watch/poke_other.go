//go:build !unix

package watch

import "errors"

// poke has nothing to do here: changed attributes give no events.
func poke(string) error { return errors.ErrUnsupported }
