package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"lockstep/proxy/internal/routing"
)

// The files, and the modes that let their readers in: other containers of the task, which run as the same user or group.
const (
	certificateFile = "server.pem"
	keyFile         = "server.key"
	authorityFile   = "client-authority.pem"
	revocationsFile = "revoked.pem"
	routesFile      = "routes.json"
	healthFile      = "health.json"

	public  fs.FileMode = 0o644
	private fs.FileMode = 0o640
)

// keeper looks at the source again and again. Each kind of file is kept by itself: one that fails does not hold up the others.
type keeper struct {
	options   options
	source    *source
	directory directory
	log       *slog.Logger
	base      []byte            // the deployed routes: an object that never changes, and that a later deployment takes this task's right to
	told      map[string]string // kind → problem that was logged last, so that it is told once and not at every look
}

// health is what the sidecar writes after each look, for --health.
type health struct {
	At       time.Time `json:"at"`
	Missing  []string  `json:"missing"`  // kinds that have no file in force
	Problems []string  `json:"problems"` // of kinds with or without
}

// look brings everything up to date as far as it can, and answers whether every file is there.
func (k *keeper) look(ctx context.Context) bool {
	state := health{At: time.Now().UTC(), Missing: []string{}, Problems: []string{}}
	keep := func(kind string, files []string, update func(context.Context) error) {
		err := update(ctx)
		if ctx.Err() != nil {
			return // being ended is no problem
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
		if text != k.told[kind] {
			k.told[kind] = text
			switch {
			case err == nil:
				k.log.Info("good again", "kind", kind)
			case missing:
				k.log.Error("nothing in force", "kind", kind, "error", text)
			default:
				k.log.Error("refused, what is in force stays", "kind", kind, "error", text)
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
	data, err := json.Marshal(state)
	if err == nil {
		_, err = k.directory.write(healthFile, append(data, '\n'), public)
	}
	if err != nil {
		k.log.Error("health cannot be told", "error", err.Error())
	}
	return len(state.Missing) == 0
}

func (k *keeper) write(name string, data []byte, mode fs.FileMode) error {
	changed, err := k.directory.write(name, data, mode)
	if changed {
		k.log.Info("written", "file", name, "bytes", len(data))
	}
	return err
}

func (k *keeper) certificate(ctx context.Context) error {
	text, err := k.source.secret(ctx, k.options.Certificate)
	if err != nil {
		return err
	}
	pair, err := readPair(text)
	if err != nil {
		old, readErr := k.directory.read(certificateFile)
		switch {
		case readErr != nil:
			return readErr
		case isStandIn(old):
			return nil
		case old != nil:
			return err
		}
		// The first deployment has no certificate yet, and must come up for somebody to see that.
		k.log.Warn("the secret holds no certificate yet: a stand-in, which no browser believes", "secret", k.options.Certificate, "error", err.Error())
		if pair, err = standInPair(); err != nil {
			return err
		}
	}
	// Between the two writes they do not match; nginx's configuration test refuses that, and it looks again.
	return errors.Join(k.write(keyFile, pair.Key, private), k.write(certificateFile, pair.Certificate, public))
}

func (k *keeper) routes(ctx context.Context) error {
	if k.base == nil {
		base, err := k.source.object(ctx, k.options.Routes)
		if err != nil {
			return err
		}
		if base == nil {
			return fmt.Errorf("%s is not there", k.options.Routes)
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
		// A new task has nothing in force: it serves by what is deployed, rather than not at all.
		deployed, baseErr := patched(base, nil, stack.Edition)
		if baseErr != nil {
			return errors.Join(err, baseErr)
		}
		return errors.Join(err, k.write(routesFile, deployed, public))
	}
	return k.write(routesFile, effective, public)
}

// patched answers the routes with the overrides on top, in one order, so that equal routes are equal bytes. The edition is the stack's to say, so
// that an override cannot change it.
func patched(base, overrides []byte, edition string) ([]byte, error) {
	effective := base
	if overrides != nil {
		// A patch that is no object would replace the whole table.
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
			return fmt.Errorf("%s is not there: an authority without a revocation list is not taken", k.options.Revocations)
		}
		inForce, err := k.directory.read(revocationsFile)
		if err != nil {
			return err
		}
		if err := judgeRevocations(authorities, revocations, inForce); err != nil {
			return err
		}
	case isStandIn(oldAuthorities):
		return nil
	case oldAuthorities != nil:
		return fmt.Errorf("%s is no longer there", k.options.Authority)
	default:
		k.log.Warn("no client authority yet: a stand-in of whose certificates there are none, so nobody gets in", "object", k.options.Authority.String())
		if authorities, revocations, err = standInAuthority(); err != nil {
			return err
		}
	}
	// The list first: for a moment an authority that goes has none, and nobody of it gets in.
	if err := errors.Join(k.write(revocationsFile, revocations, public), k.write(authorityFile, authorities, public)); err != nil {
		return err
	}
	if late := expired(revocations, time.Now()); len(late) > 0 {
		return fmt.Errorf("the revocation list of %q is out of date: nginx lets none of its clients in", late)
	}
	return nil
}

// checkHealth answers what is wrong, nil if every file is there and was looked at lately. A refused update is not: what is in force serves on, and
// ending the task would end that too. It is logged as an error, and told here in the health file.
func checkHealth(o options, now time.Time) error {
	data, err := directory(o.Directory).read(healthFile)
	if err != nil {
		return err
	}
	var state health
	if err := json.Unmarshal(data, &state); err != nil {
		return fmt.Errorf("not looked yet: %w", err)
	}
	if len(state.Missing) > 0 {
		return fmt.Errorf("not in force: %q: %q", state.Missing, state.Problems)
	}
	// One look may take its time-outs and the SDK's repeats.
	if limit := 3*o.Poll + 2*time.Minute; now.Sub(state.At) > limit {
		return fmt.Errorf("last looked at %s, more than %v ago", state.At.Format(time.RFC3339), limit)
	}
	return nil
}
