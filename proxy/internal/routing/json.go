package routing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// encoding/json stops at the first problem and accepts duplicate keys. This reader collects every problem with its path.

const maxDepth = 16

type problems struct{ list []string }

func (p *problems) add(path, given, expected string) {
	p.list = append(p.list, fmt.Sprintf("%s: given %s, expected %s", path, given, expected))
}

// object keeps the order of its keys.
type object struct {
	keys   []string
	values map[string]any
}

// decode returns *object, []any, string, json.Number, bool or nil. Only malformed JSON is an error; duplicate keys are problems.
func decode(data []byte, p *problems) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := decodeValue(decoder, "", 0, p)
	if err != nil {
		line := 1 + bytes.Count(data[:min(int(decoder.InputOffset()), len(data))], []byte{'\n'})
		return nil, fmt.Errorf("line %d: not JSON: %w", line, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: data after the closing brace")
	}
	return value, nil
}

func decodeValue(decoder *json.Decoder, path string, depth int, p *problems) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d levels", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &object{values: map[string]any{}}
		for decoder.More() {
			token, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			key, ok := token.(string)
			if !ok {
				return nil, fmt.Errorf("key %v is not a string", token)
			}
			at := join(path, key)
			value, err := decodeValue(decoder, at, depth+1, p)
			if err != nil {
				return nil, err
			}
			if _, doubled := o.values[key]; doubled {
				p.add(at, "twice", "once")
				continue
			}
			o.keys = append(o.keys, key)
			o.values[key] = value
		}
		_, err := decoder.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := decodeValue(decoder, fmt.Sprintf("%s[%d]", path, len(list)), depth+1, p)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := decoder.Token()
		return list, err
	}
	return token, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// fields reads one object. done reports all keys that were not requested before.
type fields struct {
	path     string
	object   *object
	asked    []string
	problems *problems
}

func (p *problems) object(path string, value any) *fields {
	o, ok := value.(*object)
	if !ok {
		if path == "" {
			path = "the file"
		}
		p.add(path, show(value), "an object")
		o = &object{}
	}
	return &fields{path: path, object: o, problems: p}
}

func (f *fields) get(key string) (any, bool) {
	f.asked = append(f.asked, key)
	value, ok := f.object.values[key]
	return value, ok
}

func (f *fields) at(key string) string { return join(f.path, key) }

func (f *fields) text(key string) string { return typed[string](f, key, "a string") }

func (f *fields) flag(key string) bool { return typed[bool](f, key, "true or false") }

func typed[T any](f *fields, key, expected string) T {
	value, ok := f.get(key)
	result, isType := value.(T)
	if ok && !isType {
		f.problems.add(f.at(key), show(value), expected)
	}
	return result
}

func (f *fields) number(key string, least, most, absent float64) float64 {
	value, ok := f.get(key)
	if !ok {
		return absent
	}
	number, isNumber := value.(json.Number)
	float, err := number.Float64()
	if !isNumber || err != nil || !(float >= least && float <= most) {
		f.problems.add(f.at(key), show(value), fmt.Sprintf("a number from %g to %g", least, most))
		return absent
	}
	return float
}

func (f *fields) done() {
	for _, key := range f.object.keys {
		if !slices.Contains(f.asked, key) {
			f.problems.add(f.at(key), "an unknown key", "one of "+strings.Join(f.asked, ", "))
		}
	}
}

func show(value any) string {
	switch value := value.(type) {
	case *object:
		return "an object"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("%.80q", value)
	case nil:
		return "null"
	default:
		return fmt.Sprintf("%.80v", value)
	}
}
