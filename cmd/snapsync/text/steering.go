package text

// Mapping precedes what several mappings have to say.
type Mapping struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping"`
	Source  string `json:"source"`
	Remote  string `json:"remote"`
}

// Steering is what the commands that steer print with --json.
type Steering struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping"`
	Count   int64  `json:"count"`
	Digest  string `json:"digest,omitempty"`
}
