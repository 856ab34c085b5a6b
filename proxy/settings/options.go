package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// options is the validated configuration. The SDK reads AWS's variables (AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, credentials) itself.
type options struct {
	Directory   string        // where files are written; absolute
	Poll        time.Duration // between two polls; never zero
	SecretPoll  time.Duration // between two reads of the secret, each of which costs more than all other reads of a poll; never zero
	Certificate string        // ARN or name of the secret
	Routes      object
	Overrides   object
	Authority   object // zero if clients have no certificates
	Revocations object // zero if and only if Authority is
	Endpoint    string // AWS_ENDPOINT_URL; if set, S3 is addressed by path
}

// object is the location of an S3 object.
type object struct{ Bucket, Key string }

func (o object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// parse parses environ, which has the form of os.Environ. The error lists every problem, one per line.
func parse(environ []string) (options, error) {
	values := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	var problems []string
	problem := func(name, expected string) {
		problems = append(problems, fmt.Sprintf("%s: given %q, expected %s", name, values[name], expected))
	}
	o := options{Directory: "/run/settings", Poll: 5 * time.Second, SecretPoll: time.Minute, Certificate: values["CERTIFICATE_SECRET_ARN"], Endpoint: values["AWS_ENDPOINT_URL"]}
	if text := values["SETTINGS_DIRECTORY"]; text != "" {
		o.Directory = text
	}
	for name, every := range map[string]*time.Duration{"SETTINGS_POLL": &o.Poll, "SETTINGS_SECRET_POLL": &o.SecretPoll} {
		if text := values[name]; text != "" {
			poll, err := time.ParseDuration(text)
			if err != nil || poll < 100*time.Millisecond || poll > time.Hour {
				problem(name, "a duration from 100ms to 1h")
			}
			*every = poll
		}
	}
	if o.Certificate == "" {
		problem("CERTIFICATE_SECRET_ARN", "the secret that holds certificate and key")
	}
	for _, each := range []struct {
		name     string
		required bool
		object   *object
	}{{"ROUTES_DEFAULT", true, &o.Routes}, {"ROUTES_OVERRIDES", true, &o.Overrides}, {"CLIENT_AUTHORITY", false, &o.Authority}, {"REVOCATION_LIST", false, &o.Revocations}} {
		if values[each.name] == "" && !each.required {
			continue
		}
		rest, ok := strings.CutPrefix(values[each.name], "s3://")
		bucket, key, _ := strings.Cut(rest, "/")
		if !ok || bucket == "" || key == "" {
			problem(each.name, "s3://bucket/key")
		}
		*each.object = object{bucket, key}
	}
	if (o.Authority == object{}) != (o.Revocations == object{}) {
		problem("REVOCATION_LIST", "both CLIENT_AUTHORITY and REVOCATION_LIST, or neither")
	}
	if len(problems) > 0 {
		slices.Sort(problems)
		return options{}, errors.New(strings.Join(problems, "\n"))
	}
	return o, nil
}
