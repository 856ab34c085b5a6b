package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lockstep/proxy/internal/authority"
)

// cloud is a TLS server that implements the parts of S3 and Secrets Manager that the sidecar uses.
type cloud struct {
	t         *testing.T
	mutex     sync.Mutex
	objects   map[string][]byte // "bucket/key"
	secret    string
	reads     int  // of the secret
	denied    bool // refuses all requests
	directory string
	environ   []string
	log       bytes.Buffer
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/")
	switch {
	case c.denied || !signed:
		w.Header().Set("X-Amzn-Requestid", fmt.Sprint(time.Now().UnixNano()))
		w.WriteHeader(http.StatusForbidden)
		if r.Method == http.MethodPost {
			fmt.Fprint(w, `{"__type": "AccessDeniedException", "message": "no"}`)
		} else {
			fmt.Fprintf(w, "<Error><Code>AccessDenied</Code><Message>no</Message><RequestId>%d</RequestId></Error>", time.Now().UnixNano())
		}
	case r.Method == http.MethodPost && r.Header.Get("X-Amz-Target") == "secretsmanager.GetSecretValue":
		var in struct{ SecretId string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.SecretId != "certificate" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type": "ResourceNotFoundException", "message": "no such secret"}`)
			return
		}
		c.reads++
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_ = json.NewEncoder(w).Encode(map[string]string{"Name": "certificate", "SecretString": c.secret})
	case r.Method == http.MethodGet && c.objects[r.URL.Path[1:]] != nil:
		_, _ = w.Write(c.objects[r.URL.Path[1:]])
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
	}
}

const base = `{"edition": "production", "tenantRules": [{"cookie": "tenant"}],
  "shards": {"one": {"upstream": "https://one.internal:8443"}, "two": {"upstream": "https://two.internal:8443"}}, "hosts": {"two.example": "two"}, "default": "one"}`

// inForce is the same table as written by the program, with sorted keys.
const inForce = `{"default":"one","edition":"production","hosts":{"two.example":"two"},"shards":{"one":{"upstream":"https://one.internal:8443"},"two":{"upstream":"https://two.internal:8443"}},"tenantRules":[{"cookie":"tenant"}]}`

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, objects: map[string][]byte{"assets/routes": []byte(base)}, secret: "Xy7-generated", directory: t.TempDir()}
	server := httptest.NewTLSServer(c)
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_CA_BUNDLE": bundle, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
		c.environ = append(c.environ, name+"="+value)
	}
	c.environ = append(c.environ, "SETTINGS_DIRECTORY="+c.directory, "CERTIFICATE_SECRET_ARN=certificate", "ROUTES_DEFAULT=s3://assets/routes", "ROUTES_OVERRIDES=s3://settings/routes.json",
		"CLIENT_AUTHORITY=s3://settings/client-authority.pem", "REVOCATION_LIST=s3://settings/revoked.pem")
	return c
}

// look runs the program once and returns its status and log.
func (c *cloud) look() (int, string) {
	c.t.Helper()
	c.log.Reset()
	status := run([]string{"--once"}, c.environ, &c.log, &c.log)
	return status, c.log.String()
}

func (c *cloud) healthy() bool {
	var out bytes.Buffer
	return run([]string{"--health"}, c.environ, &out, &out) == 0
}

func (c *cloud) put(name string, data []byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.objects[name] = data; data == nil {
		delete(c.objects, name)
	}
}

func (c *cloud) file(name string) string {
	c.t.Helper()
	data, err := os.ReadFile(filepath.Join(c.directory, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func secretOf(pair authority.Pair) string {
	return string(must(json.Marshal(map[string]string{"certificate": string(pair.Certificate), "key": string(pair.Key)})))
}

func TestFirstDeploymentComesUp(t *testing.T) {
	c := newCloud(t)
	if c.healthy() {
		t.Error("healthy before the first look")
	}
	status, log := c.look()
	if status != 0 || !c.healthy() || strings.Count(log, `"WARN"`) != 2 {
		t.Errorf("%d %s", status, log)
	}
	if _, err := tls.X509KeyPair([]byte(c.file("server.pem")), []byte(c.file("server.key"))); err != nil {
		t.Error(err)
	}
	if err := checkRevocations([]byte(c.file("client-authority.pem")), []byte(c.file("revoked.pem")), nil); err != nil {
		t.Error(err)
	}
	if c.file("routes.json") != inForce {
		t.Error(c.file("routes.json"))
	}
	for name, mode := range map[string]os.FileMode{"server.key": 0o640, "server.pem": 0o644} {
		if info := must(os.Stat(filepath.Join(c.directory, name))); info.Mode().Perm() != mode {
			t.Errorf("%s: %v", name, info.Mode())
		}
	}
	// The placeholders stay as they are, without further log lines.
	before := c.file("server.pem") + c.file("client-authority.pem")
	if status, log := c.look(); status != 0 || strings.Count(log, "\n") != 3 || strings.Count(log, "time left") != 3 || before != c.file("server.pem")+c.file("client-authority.pem") {
		t.Errorf("the second look: %d %s", status, log)
	}
	// Then the real files appear.
	a := must(authority.New("clients", time.Hour))
	pair := must(a.Server("demo.example"))
	c.secret = secretOf(pair)
	c.put("settings/client-authority.pem", a.PEM())
	c.put("settings/revoked.pem", must(a.RevocationList(7, time.Now().Add(time.Hour))))
	if status, log := c.look(); status != 0 || c.file("server.pem") != string(pair.Certificate) || c.file("server.key") != string(pair.Key) || c.file("client-authority.pem") != string(a.PEM()) {
		t.Errorf("%d %s", status, log)
	}
	// And they are not replaced by placeholders again.
	c.secret = "{}"
	c.put("settings/client-authority.pem", nil)
	if status, log := c.look(); status != 0 || strings.Count(log, "keeping the current file") != 2 || c.file("server.pem") != string(pair.Certificate) || c.file("client-authority.pem") != string(a.PEM()) || !c.healthy() {
		t.Errorf("%d %s", status, log)
	}
	if left := must(os.ReadDir(c.directory)); len(left) != 6 {
		t.Errorf("%v", left)
	}
}

// The demo has no client certificates.
func TestWithoutClientAuthority(t *testing.T) {
	c := newCloud(t)
	c.environ = c.environ[:len(c.environ)-2]
	if status, log := c.look(); status != 0 || !c.healthy() {
		t.Errorf("%d %s", status, log)
	}
	if _, err := os.Stat(filepath.Join(c.directory, "revoked.pem")); err == nil {
		t.Error("a list of nobody's")
	}
}

func TestUnchangedFilesAreNotWritten(t *testing.T) {
	c := newCloud(t)
	c.look()
	info := must(os.Stat(filepath.Join(c.directory, "routes.json")))
	c.look()
	if !os.SameFile(info, must(os.Stat(filepath.Join(c.directory, "routes.json")))) {
		t.Error("the same content was written again")
	}
	c.put("settings/routes.json", []byte(`{"maintenance": {"on": true}}`))
	c.look()
	patched := must(os.Stat(filepath.Join(c.directory, "routes.json")))
	if os.SameFile(info, patched) {
		t.Error("written in place: a reader could see half")
	}
	for range 10 {
		c.look()
	}
	if !os.SameFile(patched, must(os.Stat(filepath.Join(c.directory, "routes.json")))) {
		t.Error("the same patch of the same routes was written again")
	}
}

func TestOverrides(t *testing.T) {
	c := newCloud(t)
	for _, test := range []struct {
		name, patch string
		taken       bool
		want        string
	}{
		{"adds", `{"maintenance": {"on": true}}`, true, `"maintenance":{"on":true}`},
		{"replaces within", `{"shards": {"one": {"upstream": "https://127.0.0.1:9000"}}}`, true, `"upstream":"https://127.0.0.1:9000"`},
		{"removes", `{"hosts": null, "shards": {"two": null}}`, true, `"shards":{"one":{"upstream":"https://one.internal:8443"}}`},
		{"bad JSON", `{"maintenance": `, false, ""},
		{"a list", `[]`, false, ""},
		{"null", `null`, false, ""},
		{"a mistake", `{"maintenence": {"on": true}}`, false, "maintenence"},
		{"dangling", `{"shards": {"two": null}}`, false, "hosts.two.example"},
		{"another edition", `{"edition": "demo"}`, false, "edition"},
	} {
		before := ""
		if test.name != "adds" {
			before = c.file("routes.json")
		}
		c.put("settings/routes.json", []byte(test.patch))
		status, log := c.look()
		after := c.file("routes.json")
		if test.taken && !strings.Contains(strings.ReplaceAll(after, " ", ""), test.want) || !test.taken && (after != before || !strings.Contains(log, "keeping the current file") || !strings.Contains(log, test.want)) {
			t.Errorf("%s: %s\n%s", test.name, after, log)
		}
		if status != 0 || !c.healthy() {
			t.Errorf("%s: a bad override ends the task", test.name)
		}
	}
	c.put("settings/routes.json", nil)
	if c.look(); c.file("routes.json") != inForce {
		t.Error("without the override the default is in force again")
	}
}

// A new task serves the deployed routes if the overrides are invalid or refer to a shard that no longer exists.
func TestBadOverrideOfNewTask(t *testing.T) {
	c := newCloud(t)
	c.put("settings/routes.json", []byte(`{"shards": {"gone": {"maintenance": {"on": true}}}}`))
	status, log := c.look()
	if status != 0 || !c.healthy() || c.file("routes.json") != inForce || !strings.Contains(log, "shards.gone") || !strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("%d %s\n%s", status, c.file("routes.json"), log)
	}
}

// An invalid revocation list never replaces the current one.
func TestRevocationLists(t *testing.T) {
	a, next, twin := must(authority.New("clients", time.Hour)), must(authority.New("next", time.Hour)), must(authority.New("clients", time.Hour))
	list := func(a *authority.Authority, number int64) []byte {
		return must(a.RevocationList(number, time.Now().Add(time.Hour), big.NewInt(number)))
	}
	good := list(a, 5)
	both := append(a.PEM(), next.PEM()...)
	leaf := must(a.Server("x")).Certificate
	for _, test := range []struct {
		name               string
		authorities, lists []byte
		taken              bool
		why                string
	}{
		{"newer", a.PEM(), list(a, 6), true, ""},
		{"older", a.PEM(), list(a, 4), false, "older"},
		{"another's", a.PEM(), list(next, 9), false, "no revocation list"},
		{"another's of the same name", a.PEM(), list(twin, 9), false, "no revocation list"},
		{"absent", a.PEM(), nil, false, "does not exist"},
		{"empty", a.PEM(), []byte{}, false, "no X509 CRL"},
		{"nonsense", a.PEM(), []byte("nonsense"), false, "no X509 CRL"},
		{"a certificate", a.PEM(), a.PEM(), false, "expected X509 CRL"},
		{"cut", a.PEM(), list(a, 9)[:200], false, "no X509 CRL"},
		{"with something after it", a.PEM(), append(list(a, 9), "more"...), false, "not PEM"},
		{"two of one authority", a.PEM(), append(list(a, 9), list(a, 8)...), false, "two"},
		{"two authorities, two lists", both, append(list(next, 1), list(a, 6)...), true, ""},
		{"two authorities, one list", both, list(a, 6), false, "no revocation list"},
		{"one authority, a stranger's list too", a.PEM(), append(list(a, 6), list(next, 1)...), false, "none of the authorities"},
		{"two authorities, an older list", both, append(list(next, 1), list(a, 4)...), false, "older"},
		{"another authority", next.PEM(), list(next, 1), true, ""},
		{"no authority", leaf, list(a, 6), false, "not an authority"},
		{"out of date", a.PEM(), must(a.RevocationList(6, time.Now().Add(-time.Minute))), true, "has expired"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCloud(t)
			c.put("settings/client-authority.pem", a.PEM())
			c.put("settings/revoked.pem", good)
			if status, log := c.look(); status != 0 {
				t.Fatal(log)
			}
			c.put("settings/client-authority.pem", test.authorities)
			c.put("settings/revoked.pem", test.lists)
			status, log := c.look()
			want := string(a.PEM()) + string(good)
			if test.taken {
				want = string(test.authorities) + string(test.lists)
			}
			if got := c.file("client-authority.pem") + c.file("revoked.pem"); got != want || !strings.Contains(log, test.why) || status != 0 {
				t.Errorf("%d %s", status, log)
			}
		})
	}
	t.Run("never without one", func(t *testing.T) {
		c := newCloud(t)
		c.put("settings/client-authority.pem", a.PEM())
		status, log := c.look()
		if _, err := os.Stat(filepath.Join(c.directory, "client-authority.pem")); status != 1 || err == nil || c.healthy() || !strings.Contains(log, "no valid file") {
			t.Errorf("%d %v %s", status, err, log)
		}
	})
}

func TestBadCertificates(t *testing.T) {
	a := must(authority.New("servers", time.Hour))
	pair, other := must(a.Server("demo.example")), must(a.Server("demo.example"))
	c := newCloud(t)
	c.secret = secretOf(pair)
	c.look()
	for name, secret := range map[string]string{"mixed": secretOf(authority.Pair{Certificate: pair.Certificate, Key: other.Key}), "no key": secretOf(authority.Pair{Certificate: pair.Certificate}), "text": "secret-text", "numbers": `{"certificate": 1, "key": 2}`} {
		c.secret = secret
		if status, log := c.look(); status != 0 || c.file("server.pem") != string(pair.Certificate) || c.file("server.key") != string(pair.Key) || strings.Contains(log, "secret-text") || strings.Contains(log, "PRIVATE") {
			t.Errorf("%s: %d %s", name, status, log)
		}
	}
}

// A failure of AWS removes nothing, and is logged once and not at every poll.
func TestDenied(t *testing.T) {
	c := newCloud(t)
	c.denied = true
	if status, log := c.look(); status != 1 || c.healthy() || strings.Contains(log, "placeholder") || !strings.Contains(log, "AccessDenied") {
		t.Errorf("%d %s", status, log)
	}
	c.denied = false
	if status, log := c.look(); status != 0 {
		t.Fatal(log)
	}
	before := c.file("routes.json")
	c.denied = true
	if status, log := c.look(); status != 0 || !c.healthy() || c.file("routes.json") != before || strings.Count(log, "keeping the current file") != 3 {
		t.Errorf("%d %s", status, log)
	}
	c.environ = append(c.environ, "SETTINGS_POLL=100ms", "SETTINGS_SECRET_POLL=100ms")
	process := startKeeper(t, c)
	process.wait(t, "three looks", func(log string) bool { return strings.Count(log, "keeping the current file") >= 3 })
	time.Sleep(500 * time.Millisecond) // four more polls
	if log := process.log.String(); strings.Count(log, "keeping the current file") != 3 {
		t.Errorf("logged repeatedly: %s", log)
	}
	c.mutex.Lock()
	c.denied = false
	c.mutex.Unlock()
	process.wait(t, "all recovered", func(log string) bool { return strings.Count(log, "recovered") == 3 })
	process.stop(t)
}

// Each read of the secret costs money. A list of revoked certificates, and routes, must not wait for it.
func TestSecretIsReadLessOften(t *testing.T) {
	c := newCloud(t)
	c.environ = append(c.environ, "SETTINGS_POLL=100ms")
	if o := must(parse(c.environ)); o.SecretPoll != time.Minute {
		t.Errorf("the secret is read every %v", o.SecretPoll)
	}
	process := startKeeper(t, c)
	process.wait(t, "the routes", func(log string) bool { return strings.Contains(log, routesFile) })
	c.put("settings/routes.json", []byte(`{"maintenance": {"on": true}}`))
	process.wait(t, "the new routes", func(log string) bool { return strings.Count(log, routesFile) == 2 })
	process.stop(t)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.reads != 1 {
		t.Errorf("read %d times", c.reads)
	}
}

// What metric filters and their alarms read. A revocation list raises the alarm while nginx still admits everybody.
func TestTimeLeft(t *testing.T) {
	c := newCloud(t)
	left := func(log, of string) float64 {
		t.Helper()
		for line := range strings.Lines(log) {
			var entry struct {
				Expires       string
				Days, Percent *float64
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if entry.Expires == of && entry.Days != nil {
				return *entry.Days
			}
			if entry.Expires == of && entry.Percent != nil {
				return *entry.Percent
			}
		}
		t.Fatalf("nothing of %s: %s", of, log)
		return 0
	}
	if _, log := c.look(); left(log, certificateFile) < 3000 || left(log, authorityFile) < 3000 || left(log, revocationsFile) < 99 {
		t.Errorf("a placeholder expires soon: %s", log)
	}
	day := 24 * time.Hour
	long, short := must(authority.New("long", 400*day)), must(authority.New("short", 20*day+time.Hour))
	pair, chain := must(long.Server("a.example")), must(short.Server("a.example"))
	c.secret = secretOf(authority.Pair{Certificate: append(pair.Certificate, chain.Certificate...), Key: pair.Key})
	c.put("settings/client-authority.pem", append(long.PEM(), short.PEM()...))
	// Lists are issued a minute ago, so this one has 19 of its 79 seconds left.
	c.put("settings/revoked.pem", append(must(long.RevocationList(1, time.Now().Add(day))), must(short.RevocationList(1, time.Now().Add(19*time.Second)))...))
	_, log := c.look()
	if d := left(log, certificateFile); d < 20 || d > 20.1 {
		t.Errorf("the chain expires in 20 days, not %v", d)
	}
	if d := left(log, authorityFile); d < 20 || d > 20.1 {
		t.Errorf("an authority expires in 20 days, not %v", d)
	}
	if p := left(log, revocationsFile); p <= 0 || p >= 25 || strings.Contains(log, "expired") {
		t.Errorf("%v %% of a list: %s", p, log)
	}
	c.put("settings/revoked.pem", append(must(long.RevocationList(1, time.Now().Add(day))), must(short.RevocationList(2, time.Now().Add(-time.Second)))...))
	if _, log := c.look(); left(log, revocationsFile) > 0 || !strings.Contains(log, "has expired") {
		t.Errorf("an expired list: %s", log)
	}
}

func TestHealthIsFresh(t *testing.T) {
	c := newCloud(t)
	c.look()
	o := must(parse(c.environ))
	if err := checkHealth(o, time.Now()); err != nil {
		t.Error(err)
	}
	if err := checkHealth(o, time.Now().Add(time.Hour)); err == nil || !strings.Contains(err.Error(), "last polled") {
		t.Errorf("an hour without a look: %v", err)
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	var out bytes.Buffer
	if status := run(nil, []string{"SETTINGS_POLL=5", "SETTINGS_SECRET_POLL=2h", "ROUTES_DEFAULT=s3://bucket", "CLIENT_AUTHORITY=s3://b/k"}, &out, &out); status != 2 {
		t.Errorf("%d", status)
	}
	for _, name := range []string{"SETTINGS_POLL", "SETTINGS_SECRET_POLL", "CERTIFICATE_SECRET_ARN", "ROUTES_DEFAULT", "ROUTES_OVERRIDES", "REVOCATION_LIST"} {
		if !strings.Contains(out.String(), name+":") {
			t.Errorf("no word of %s: %s", name, out.String())
		}
	}
}
