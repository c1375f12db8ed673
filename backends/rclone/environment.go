package rclone

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/rclone/rclone/fs"

	"github.com/snapsync/snapsync/backends/rclone/answers"
)

// CheckEnvironment returns an error for a variable that rclone would obey and snapsync does not: somebody relies on it. One
// that says what is rclone's default anyhow is let be.
func CheckEnvironment() error {
	for _, kv := range slices.Sorted(slices.Values(os.Environ())) {
		variable, value, _ := strings.Cut(kv, "=")
		name, ours := strings.CutPrefix(variable, "RCLONE_")
		if !ours {
			continue
		}
		name = strings.ToLower(name)
		if o, known := answers.Of(name); known && o.Refused() && !isDefault(name, value) {
			return fmt.Errorf("%s is set, which is not followed: %s", variable, o.Advice())
		}
	}
	_, ci := fs.AddConfig(context.Background()) // a copy
	return takeUnregistered(ci, nil)
}

// isDefault reports whether an option would have rclone's own default with this value.
func isDefault(name, value string) bool {
	opt := globalOption(name)
	if opt == nil { // one of rclone's command line only, most of which are switches
		return value == "" || value == "false" || value == "0"
	}
	trial := *opt
	trial.Value = nil
	usual := trial.String()
	if list, is := opt.Default.([]string); is && len(list) == 0 {
		return value == ""
	}
	return value == usual || trial.Set(value) == nil && trial.String() == usual
}

// unregistered are the options that rclone reads on its command line only, its variables included: in a library nobody does.
var unregistered = map[string]func(ci *fs.ConfigInfo, value string) error{
	"header":        func(ci *fs.ConfigInfo, value string) error { return addHeaders(&ci.Headers, value) },
	"header_upload": func(ci *fs.ConfigInfo, value string) error { return addHeaders(&ci.UploadHeaders, value) },
	"metadata_set": func(ci *fs.ConfigInfo, value string) error {
		items, err := ParseList(value)
		if err != nil {
			return err
		}
		ci.MetadataSet = fs.Metadata{}
		for _, item := range items {
			key, text, ok := strings.Cut(item, "=")
			if !ok {
				return fmt.Errorf("%q: want KEY=VALUE", item)
			}
			ci.MetadataSet[strings.ToLower(key)] = text
		}
		return nil
	},
	"disable": func(ci *fs.ConfigInfo, value string) error {
		known := new(fs.Features).List()
		ci.DisableFeatures = strings.Split(value, ",")
		for _, name := range ci.DisableFeatures {
			if !slices.ContainsFunc(known, func(f string) bool { return strings.EqualFold(f, strings.TrimSpace(name)) }) {
				return fmt.Errorf("%q is no feature of a remote: they are %s", name, strings.Join(known, ", "))
			}
		}
		return nil
	},
	"bind": func(ci *fs.ConfigInfo, value string) error {
		found, err := net.LookupIP(value)
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("%q has %d addresses: want one", value, len(found))
		}
		ci.BindAddr = found[0]
		return nil
	},
}

// takeUnregistered puts them into ci: what options has, else what the environment has.
func takeUnregistered(ci *fs.ConfigInfo, options map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(unregistered)) {
		value, given := options[name]
		source := fmt.Sprintf("rclone option %q", name)
		if !given {
			source = fs.OptionToEnv(name)
			value = os.Getenv(source)
		}
		if value == "" {
			continue
		}
		if err := unregistered[name](ci, value); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	return nil
}

func addHeaders(to *[]*fs.HTTPOption, value string) error {
	items, err := ParseList(value)
	if err != nil {
		return err
	}
	*to, err = fs.ParseHeaders(items)
	return err
}

// ParseList reads a list as rclone has it in a variable: one line of CSV, so that an item which holds a comma is quoted.
func ParseList(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	r := csv.NewReader(strings.NewReader(text))
	items, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("a list is one line of CSV: %w", err)
	}
	if _, err := r.Read(); err == nil {
		return nil, fmt.Errorf("a list is one line of CSV: %q has more", text)
	}
	return items, nil
}
