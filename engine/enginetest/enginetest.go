// Package enginetest holds what tests of the engine and of its Connections share: an in-memory
// remote that can fail in every way a real one can, and the suite that every Connection passes.
//
// # Memory
//
// A [Memory] is a remote, not a Connection: it outlives the Connections opened on it with
// [Memory.Connect], as a server outlives a client that crashed. It behaves as the comments of
// remote.Connection say and complains, by failing the test, when the engine breaks its side:
//
//   - two calls under way whose paths overlap;
//   - an ability used that Caps did not offer, or more paths than one Delete may carry;
//   - a directory moved onto something that exists, or a path used that cannot be one;
//   - a file put where a directory is, or beneath a file;
//   - a call after Close.
//
// A complaint is an error as well, so that a test with a Lenient memory sees what a server would say.
//
// Operations are numbered from 1. [Memory.Fail] decides for each one whether and how it fails; there
// are three ways, because they leave different things behind: [Before] nothing happened, [After] all
// of it happened but the caller is told otherwise, [Torn] a Send stopped half-way and left its
// temporary file. [Memory.Log] is the sequence of effects as text, for golden files.
//
// What it does not do: directories have no mtimes, and content is kept in memory, so use small files.
//
// # Contract
//
// [Contract] turns each sentence of remote.Connection's comments into a test. It knows nothing about
// the remote but its Caps.
package enginetest
