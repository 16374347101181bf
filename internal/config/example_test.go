package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const examplePath = "../../config.toml.example"

// TestExampleIsTheDefaults: apart from what has no default, the example says
// what holds without it.
func TestExampleIsTheDefaults(t *testing.T) {
	got, err := Load(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	a := defaultAccount()
	a.Port = 993
	a.Name, a.Host, a.User = "work", "imap.example.org", "alice@example.org"
	a.PasswordCommand = []string{"pass", "show", "mail/work"}
	want := &Config{UI: defaultUI(), Secrets: defaultSecrets(), Cache: defaultCache(), Accounts: []Account{a}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-defaults +example:\n%s", diff)
	}
}

// TestExampleIsComplete: every option stands in the example, once, with a
// comment, and in the order of the tables that Load follows.
func TestExampleIsComplete(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, o := range uiOptions {
		want = append(want, o.key)
	}
	for _, o := range cacheOptions {
		want = append(want, o.key)
	}
	for _, o := range secretsOptions {
		want = append(want, o.key)
	}
	for _, o := range accountOptions {
		if o.key != "oauth2" { // a table, see TestOAuth2Example
			want = append(want, o.key)
		}
	}
	var got []string
	option := regexp.MustCompile(`(?m)^(\w+) = (.*)$`)
	uncommented := map[string]bool{"user": true} // the comment would say what the key says
	for _, m := range option.FindAllStringSubmatch(string(text), -1) {
		got = append(got, m[1])
		if !strings.Contains(m[2], "# ") && !uncommented[m[1]] {
			t.Errorf("%s has no comment", m[1])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-options +example:\n%s", diff)
	}
}

// TestEveryFieldIsSet: there is an option for every field of the settings, and
// none without.
func TestEveryFieldIsSet(t *testing.T) {
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	fields := func(v any) map[string]bool {
		names := map[string]bool{}
		for f := range reflect.TypeOf(v).Fields() {
			names[strings.ToLower(f.Name)] = true
		}
		return names
	}
	check := func(table string, fields map[string]bool, keys []string) {
		for _, key := range keys {
			name := strings.ReplaceAll(key, "_", "")
			if !fields[name] {
				t.Errorf("%s: the option %s has no field", table, key)
			}
			delete(fields, name)
			if !strings.Contains(string(text), "\n"+key+" = ") && key != "oauth2" {
				t.Errorf("%s: the option %s is not in the example", table, key)
			}
		}
		for name := range fields {
			t.Errorf("%s: the field %s has no option", table, name)
		}
	}
	var ui, cache, secrets, account []string
	for _, o := range cacheOptions {
		cache = append(cache, o.key)
	}
	for _, o := range secretsOptions {
		secrets = append(secrets, o.key)
	}
	for _, o := range uiOptions {
		ui = append(ui, o.key)
	}
	for _, o := range accountOptions {
		account = append(account, o.key)
	}
	check("ui", fields(UI{}), ui)
	check("cache", fields(Cache{}), cache)
	check("secrets", fields(Secrets{}), secrets)
	check("account", fields(Account{}), account)
}

// TestEveryChoiceInTheExampleIsAccepted: the values that the example's comments
// offer ("a | b | c") are those that Load takes.
func TestEveryChoiceInTheExampleIsAccepted(t *testing.T) {
	choices := map[string][]string{
		"notice": {"bell", "osc9", "off"}, "emoji": {"auto", "text"}, "tls": {"implicit", "starttls", "none"},
		"watch": {"idle", "poll", "visit"}, "mark_seen": {"open", "2s", "never"},
	}
	raw, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	for key, values := range choices {
		line := regexp.MustCompile(`(?m)^` + key + ` = "\w+" .*$`).FindString(string(raw))
		for _, value := range values {
			if !strings.Contains(line, value) {
				t.Errorf("the comment of %s does not offer %q: %s", key, value, line)
			}
			text := strings.Replace(string(raw), line, key+` = "`+value+`"`, 1)
			if key == "tls" && value == "none" {
				text = strings.Replace(text, "insecure = false", "insecure = true", 1)
			}
			if _, err := parse(examplePath, []byte(text)); err != nil {
				t.Error(err)
			}
		}
	}
}
