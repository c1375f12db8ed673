package answers

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	page  = "../../../docs/from-rclone.md"
	begin = "<!-- made by go test -->\n"
	end   = "<!-- end -->\n"
)

// The lists of docs/from-rclone.md are made from the tables. UPDATE_DOCS=1 rewrites them.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	i, j := strings.Index(string(text), begin), strings.Index(string(text), end)
	if i < 0 || j < i {
		t.Fatalf("%s has no lines %q and %q", page, begin, end)
	}
	want := string(text[:i]) + begin + lists() + string(text[j:])
	if want == string(text) {
		return
	}
	if os.Getenv("UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what the tables say: UPDATE_DOCS=1 go test -tags slim -run TestDocs ./backends/rclone/answers\n%s", page, cmp.Diff(string(text), want))
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lists is the part of the page that follows from the tables.
func lists() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## The same flag\n\n%s.\n", plain(Ours, false))
	fmt.Fprintf(&b, "\n## Through --rclone\n\n%s.\n\n", plain(Passed, true))
	table(&b, "option", "remark", Passed, true)
	b.WriteString("\n## Always so\n\n`--rclone` and variables may say so, flags are left out.\n\n")
	table(&b, "option", "what is so", Always, false)
	b.WriteString("\n## Something else instead\n\n")
	table(&b, "option", "say", Instead, false)
	b.WriteString("\n## Not here\n\n")
	table(&b, "option", "because", Never, false)
	b.WriteString("\n## Commands\n\n| rclone | here |\n| --- | --- |\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name, c.Say)
	}
	return b.String()
}

func of(class Class) (found []Option) {
	for _, o := range options {
		if o.Class == class {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b Option) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// plain lists names; without says to leave out those that a remark follows for.
func plain(class Class, without bool) string {
	var names []string
	for _, o := range of(class) {
		if o.Say == "" || !without {
			names = append(names, "`"+o.Flag()+"`")
		}
	}
	return strings.Join(names, " ")
}

func table(b *strings.Builder, left, right string, class Class, remarks bool) {
	fmt.Fprintf(b, "| %s | %s |\n| --- | --- |\n", left, right)
	for _, o := range of(class) {
		if o.Say != "" || !remarks {
			name := o.Flag()
			if o.Short != "" {
				name = "-" + o.Short + ", " + name
			}
			fmt.Fprintf(b, "| `%s` | %s |\n", name, strings.ReplaceAll(o.Say, "*", `\*`))
		}
	}
}

// Each row has its class, and says what that class has to say; no name and no letter means two things.
func TestRows(t *testing.T) {
	names := map[string]bool{}
	for _, o := range options {
		if names[o.Name] || names["-"+o.Short] {
			t.Errorf("%s or -%s is there twice", o.Name, o.Short)
		}
		names[o.Name] = true
		names["-"+o.Short] = o.Short != ""
		if o.Class < Ours || o.Class > Never {
			t.Errorf("%s has no class", o.Name)
		}
		if o.Class >= Always && o.Say == "" {
			t.Errorf("%s says nothing", o.Name)
		}
		if found, known := Of(o.Flag()); !known || !strings.HasSuffix(o.Name, "*") && found.Name != o.Name {
			t.Errorf("%s: Of finds %q", o.Flag(), found.Name)
		}
	}
}
