package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"slices"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"lockstep/proxy/internal/routing"
)

// The files and their modes. They are read by other containers of the task, which run as the same user or group.
const (
	certificateFile = "server.pem"
	keyFile         = "server.key"
	authorityFile   = "client-authority.pem"
	revocationsFile = "revoked.pem"
	routesFile      = "routes.json"
	healthFile      = "health.json"

	public  fs.FileMode = 0o644
	private fs.FileMode = 0o640

	logTimeLeft = 10 * time.Minute
)

// keeper polls the source and updates the files. Each kind of file is updated independently, so that a failure does not block the others.
type keeper struct {
	options   options
	source    *source
	directory directory
	log       *slog.Logger
	base      []byte            // the deployed routes, read once: the object never changes, and a later deployment revokes this task's access to it
	logged    map[string]string // kind → the problem logged last, so that it is not logged at every poll
	secret    string            // as read at secretAt
	secretAt  time.Time
	leftAt    time.Time // when the time left was logged
}

// health is what the sidecar writes after each poll, for --health.
type health struct {
	At       time.Time `json:"at"`
	Missing  []string  `json:"missing"`  // kinds without a valid file
	Problems []string  `json:"problems"` // of all kinds
}

// poll updates all files as far as possible, and reports whether every file exists.
func (k *keeper) poll(ctx context.Context) bool {
	state := health{At: time.Now().UTC(), Missing: []string{}, Problems: []string{}}
	keep := func(kind string, files []string, update func(context.Context) error) {
		err := update(ctx)
		if ctx.Err() != nil {
			return // being stopped is not a problem
		}
		missing := slices.ContainsFunc(files, func(name string) bool {
			data, readErr := k.directory.read(name)
			return readErr != nil || len(data) == 0
		})
		if missing {
			state.Missing = append(state.Missing, kind)
		}
		text := ""
		if err != nil {
			text = err.Error()
			state.Problems = append(state.Problems, kind+": "+text)
		}
		if text != k.logged[kind] {
			k.logged[kind] = text
			switch {
			case err == nil:
				k.log.Info("recovered", "kind", kind)
			case missing:
				k.log.Error("no valid file", "kind", kind, "error", text)
			default:
				k.log.Error("update rejected, keeping the current file", "kind", kind, "error", text)
			}
		}
	}
	keep("certificate", []string{certificateFile, keyFile}, k.certificate)
	keep("routes", []string{routesFile}, k.routes)
	if k.options.Authority != (object{}) {
		keep("client authority", []string{authorityFile, revocationsFile}, k.authority)
	}
	if ctx.Err() != nil {
		return false
	}
	if now := time.Now(); now.Sub(k.leftAt) >= logTimeLeft {
		k.timeLeft(now)
		k.leftAt = now
	}
	data, err := json.Marshal(state)
	if err == nil {
		_, err = k.directory.write(healthFile, append(data, '\n'), public)
	}
	if err != nil {
		k.log.Error("can't write the health file", "error", err.Error())
	}
	return len(state.Missing) == 0
}

// timeLeft logs how long the files in force are valid, which metric filters count: days of certificates, and percent of the lifetime of
// revocation lists. Of several in a file, the first one to expire counts.
func (k *keeper) timeLeft(now time.Time) {
	for _, each := range []struct {
		file, unit string
		left       func(data []byte, now time.Time) (float64, bool)
	}{{certificateFile, "days", daysLeft}, {authorityFile, "days", daysLeft}, {revocationsFile, "percent", percentLeft}} {
		data, err := k.directory.read(each.file)
		if err != nil || data == nil {
			continue // reported by poll, or not a file of this edition
		}
		if left, ok := each.left(data, now); ok {
			k.log.Info("time left", "expires", each.file, each.unit, math.Floor(left*100)/100)
		}
	}
}

func (k *keeper) write(name string, data []byte, mode fs.FileMode) error {
	changed, err := k.directory.write(name, data, mode)
	if changed {
		k.log.Info("written", "file", name, "bytes", len(data))
	}
	return err
}

func (k *keeper) certificate(ctx context.Context) error {
	if time.Since(k.secretAt) >= k.options.SecretPoll {
		text, err := k.source.secret(ctx, k.options.Certificate)
		if err != nil {
			return err
		}
		k.secret, k.secretAt = text, time.Now()
	}
	pair, err := readPair(k.secret)
	if err != nil {
		old, readErr := k.directory.read(certificateFile)
		switch {
		case readErr != nil:
			return readErr
		case isPlaceholder(old):
			return nil
		case old != nil:
			return err
		}
		// The first deployment has no certificate yet, and must start so that operators can see that.
		k.log.Warn("the secret holds no certificate yet: using a placeholder, which browsers don't trust", "secret", k.options.Certificate, "error", err.Error())
		if pair, err = placeholderPair(); err != nil {
			return err
		}
	}
	// Between the two writes the files don't match. nginx's configuration test then fails, and ./start retries.
	return errors.Join(k.write(keyFile, pair.Key, private), k.write(certificateFile, pair.Certificate, public))
}

func (k *keeper) routes(ctx context.Context) error {
	if k.base == nil {
		base, err := k.source.object(ctx, k.options.Routes)
		if err != nil {
			return err
		}
		if base == nil {
			return fmt.Errorf("%s does not exist", k.options.Routes)
		}
		k.base = base
	}
	base := k.base
	var stack struct{ Edition string }
	if err := json.Unmarshal(base, &stack); err != nil {
		return fmt.Errorf("%s: %w", k.options.Routes, err)
	}
	overrides, err := k.source.object(ctx, k.options.Overrides)
	if err != nil {
		return err
	}
	effective, err := patched(base, overrides, stack.Edition)
	if err != nil {
		err = fmt.Errorf("%s with %s: %w", k.options.Routes, k.options.Overrides, err)
		if old, readErr := k.directory.read(routesFile); readErr != nil || old != nil {
			return errors.Join(err, readErr)
		}
		// A new task has no valid routes. It serves the deployed ones rather than none.
		deployed, baseErr := patched(base, nil, stack.Edition)
		if baseErr != nil {
			return errors.Join(err, baseErr)
		}
		return errors.Join(err, k.write(routesFile, deployed, public))
	}
	return k.write(routesFile, effective, public)
}

// patched returns the routes with the overrides applied, with sorted keys so that equal routes are equal bytes. The edition comes from the stack,
// so that overrides can't change it.
func patched(base, overrides []byte, edition string) ([]byte, error) {
	effective := base
	if overrides != nil {
		// A patch that is not an object would replace the whole table.
		var object map[string]json.RawMessage
		if err := json.Unmarshal(overrides, &object); err != nil {
			return nil, fmt.Errorf("not a merge patch, a JSON object: %w", err)
		} else if object == nil {
			return nil, errors.New("not a merge patch, a JSON object: null")
		}
		var err error
		if effective, err = jsonpatch.MergePatch(base, overrides); err != nil {
			return nil, err
		}
	}
	if _, err := routing.Parse(effective, edition); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(effective))
	decoder.UseNumber()
	var table any
	if err := decoder.Decode(&table); err != nil {
		return nil, err
	}
	return json.Marshal(table)
}

func (k *keeper) authority(ctx context.Context) error {
	authorities, err := k.source.object(ctx, k.options.Authority)
	if err != nil {
		return err
	}
	oldAuthorities, err := k.directory.read(authorityFile)
	if err != nil {
		return err
	}
	var revocations []byte
	switch {
	case authorities != nil:
		if revocations, err = k.source.object(ctx, k.options.Revocations); err != nil {
			return err
		}
		if revocations == nil {
			return fmt.Errorf("%s does not exist: an authority without a revocation list is rejected", k.options.Revocations)
		}
		current, err := k.directory.read(revocationsFile)
		if err != nil {
			return err
		}
		if err := checkRevocations(authorities, revocations, current); err != nil {
			return err
		}
	case isPlaceholder(oldAuthorities):
		return nil
	case oldAuthorities != nil:
		return fmt.Errorf("%s is no longer there", k.options.Authority)
	default:
		k.log.Warn("no client authority yet: using a placeholder that has issued no certificates, so no client is admitted", "object", k.options.Authority.String())
		if authorities, revocations, err = placeholderAuthority(); err != nil {
			return err
		}
	}
	// Write the list first: the previous authority then has no list for a moment, and nginx admits none of its clients.
	if err := errors.Join(k.write(revocationsFile, revocations, public), k.write(authorityFile, authorities, public)); err != nil {
		return err
	}
	if late := expired(revocations, time.Now()); len(late) > 0 {
		return fmt.Errorf("the revocation list of %q has expired: nginx admits none of its clients", late)
	}
	return nil
}

// checkHealth returns nil if every file exists and was polled recently. A rejected update is not a failure, because the current files remain in
// use and stopping the task would end that too; it is logged as an error and recorded in the health file.
func checkHealth(o options, now time.Time) error {
	data, err := directory(o.Directory).read(healthFile)
	if err != nil {
		return err
	}
	var state health
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("not polled yet: %w", err)
	}
	if len(state.Missing) > 0 {
		return fmt.Errorf("no valid file: %q: %q", state.Missing, state.Problems)
	}
	// One poll may take as long as its timeouts and the SDK's retries.
	if limit := 3*o.Poll + 2*time.Minute; now.Sub(state.At) > limit {
		return fmt.Errorf("last polled at %s, more than %v ago", state.At.Format(time.RFC3339), limit)
	}
	return nil
}
