package rclone

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rclone/rclone/fs/config/obscure"
)

func TestCanonical(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct{ remote, key, display string }{
		{".", real, real},
		{"x/y/", real + "/x/y", real + "/x/y"},
		{"link/x", real + "/x", real + "/x"},
		{":local:" + dir + "/x/", real + "/x", real + "/x"},
		{"s3:bucket/a//b/", "s3:bucket/a/b", "s3:bucket/a/b"},
		{"s3:", "s3:", "s3:"},
		{":sftp,user=u,host=h,pass=p:/d/", ":sftp,host='h',user='u':/d", ":sftp,host='h',pass='XXX',user='u':/d"},
		{":sftp,host=h,pass=q,user=u:/d", ":sftp,host='h',user='u':/d", ":sftp,host='h',pass='XXX',user='u':/d"},
		{":s3,secret_access_key=k,provider=AWS:b", ":s3,provider='AWS':b", ":s3,provider='AWS',secret_access_key='XXX':b"},
		{":webdav,url='http://u:p@w@h/x':d", ":webdav,url='http://u@h/x':d", ":webdav,url='http://u:XXX@h/x':d"},
		{":webdav,url='http://h/x?Token=T&page=2#f':d", ":webdav,url='http://h/x?&page=2#f':d", ":webdav,url='http://h/x?Token=XXX':d"},
		{":http,url='https://h/x?X-Amz-Signature=s&sig=t':", ":http,url='https://h/x?&':", ":http,url='https://h/x?X-Amz-Signature=XXX':"},
		{":http,url='https://h/x?page=2&who=me':", ":http,url='https://h/x?page=2&who=me':", ":http,url='https://h/x?page=XXX&who=XXX':"},
		{":nobackend,token=t,a=b:p", ":nobackend,a='b':p", ":nobackend,a='b',token='XXX':p"},
	} {
		key, display, err := Canonical(tt.remote)
		if err != nil || key != tt.key || display != tt.display {
			t.Errorf("Canonical(%q) = %q, %q, %v\nwant %q, %q", tt.remote, key, display, err, tt.key, tt.display)
		}
	}
	if _, _, err := Canonical(":sftp,host='unclosed:/x"); err == nil {
		t.Error("a broken connection string was accepted")
	}
}

// cryptOn is a crypt remote in dir.
func cryptOn(t *testing.T, dir string) string {
	t.Helper()
	pass, err := obscure.Obscure("secret")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(":crypt,password='%s',remote='%s':sub/dir", pass, dir)
}

func TestOverlaps(t *testing.T) {
	if err := Init(t.Context(), Settings{}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(src, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct{ remote, want string }{
		{dir + "/dst", ""},
		{dir + "/src2", ""},
		{src, "the source itself"},
		{src + "/", "the source itself"},
		{dir + "/link", "the source itself"},
		{dir + "/link/sub", "is inside the source"},
		{src + "/not/yet", "is inside the source"},
		{dir, "is inside the remote"},
		{"/", "is inside the remote"},
		{":alias,remote='" + dir + "':src/x", "is inside the source"},
		{":alias,remote='" + dir + "':dst", ""},
		{cryptOn(t, src+"/c"), "is inside the source"},
		{cryptOn(t, dir+"/dst"), ""},
		{":crypt,remote=':alias,remote=\"" + src + "\":':x", "the source itself"},
		{":s3:bucket" + src, ""},
	} {
		err := Overlaps(src, tt.remote)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Overlaps(%q) = %v, want %q", tt.remote, err, tt.want)
		}
	}
}
