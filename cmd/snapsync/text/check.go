package text

// Check is one line of `config check --json`.
type Check struct {
	Type    string `json:"type"`
	Mapping string `json:"mapping,omitempty"` // "": a problem of the file as a whole
	OK      bool   `json:"ok"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Text    string `json:"text"`
}
