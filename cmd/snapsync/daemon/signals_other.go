//go:build !unix

package daemon

import "os"

// steeringSignals: this system has none that could mean reload or sync. The control socket does.
func steeringSignals(chan<- os.Signal) (stop func()) { return func() {} }

func meaning(os.Signal) string { return "" }
