// Package reach tells whether the servers that a remote is on take calls.
//
// While a remote is away the question is asked often, and an answer costs a server nothing but a connection: no log-in,
// no request, no session that it has to end. Which servers those are is read from rclone's configuration.
//
// # What it guarantees
//
// An answer within a second, and none at all where one would prove nothing. A server that takes calls and says nothing is
// called less and less often.
//
// # What it leaves to others
//
// Whether the remote works: a probe of its Connection. When to ask: who keeps a mapping true.
package reach
