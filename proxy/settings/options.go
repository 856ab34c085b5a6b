package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// options is the whole configuration, validated. AWS's own variables (AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, credentials) are the SDK's.
type options struct {
	Directory   string        // where files are written; absolute
	Poll        time.Duration // between two looks; never zero
	Certificate string        // ARN or name of the secret
	Routes      object
	Overrides   object
	Authority   object // zero: clients show no certificates
	Revocations object // zero exactly if Authority is
	Endpoint    string // AWS_ENDPOINT_URL: S3 is then asked by path
}

// object is one of S3's.
type object struct{ Bucket, Key string }

func (o object) String() string { return "s3://" + o.Bucket + "/" + o.Key }

// parse reads environ, which has the shape of os.Environ. The error holds every problem, one a line.
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
	o := options{Directory: "/run/settings", Poll: 5 * time.Second, Certificate: values["CERTIFICATE_SECRET_ARN"], Endpoint: values["AWS_ENDPOINT_URL"]}
	if text := values["SETTINGS_DIRECTORY"]; text != "" {
		o.Directory = text
	}
	if text := values["SETTINGS_POLL"]; text != "" {
		poll, err := time.ParseDuration(text)
		if err != nil || poll < 100*time.Millisecond || poll > time.Hour {
			problem("SETTINGS_POLL", "a duration from 100ms to 1h")
		}
		o.Poll = poll
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
