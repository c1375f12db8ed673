package mapping

import "testing"

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{
		"work": "work", "My Files": "my-files", "/": "root", "..": "root", "日本": "root", "a.b_c-d": "a.b_c-d",
	} {
		if got := Slug(in); got != want {
			t.Errorf("slug(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"nas:a", "nas:a", true}, {"nas:a", "nas:a/b", true}, {"nas:a/b", "nas:/a", true}, {"nas:", "nas:a", true},
		{"nas:a", "nas:ab", false}, {"nas:a", "other:a", false}, {":sftp,host=h:a", ":sftp,host=h:a/b", true},
		{":sftp,host='h:1':a", ":sftp,host='h:1':b", false}, {":sftp,host='h:1':a", ":sftp,host='h:1':a/b", true},
	} {
		a, _, errA := Locate(test.a)
		b, _, errB := Locate(test.b)
		if got := a.Overlaps(b); got != test.want || b.Overlaps(a) != got || errA != nil || errB != nil {
			t.Errorf("%s and %s: %v, want %v (%v, %v)", test.a, test.b, got, test.want, errA, errB)
		}
	}
}
