package render

import (
	"bytes"
	"crypto/sha256"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"specgraft/overlay"
	"specgraft/overlay/diag"
)

func resultFiles() []*overlay.File {
	return []*overlay.File{
		overlay.NewFile("bash.spec", 0o644, []byte("Name: bash\n"), nil),
		overlay.NewFile("deep/empty", 0o644, nil, nil),
		overlay.NewFile("run.sh", 0o755, []byte("#!/bin/sh\n"), nil),
	}
}

// TestResults keeps a component and gets it back, and does not with other inputs,
// when it is damaged or when it is too large.
func TestResults(t *testing.T) {
	t.Parallel()
	s := keptIn(t.TempDir())
	in := &inputs{sum: sha256.Sum256([]byte("inputs")), commit: strings.Repeat("a", 40)}
	warnings := diag.List{{Severity: diag.Warning, Code: "overlay/no-effect", Message: "x", Pos: token.Position{Filename: "a.toml", Line: 3, Column: 4}}}
	large := append(resultFiles(), overlay.NewFile("z.patch", 0o644, bytes.Repeat([]byte("0123456789"), usualResult/10), nil))
	for _, files := range [][]*overlay.File{resultFiles(), large, nil} {
		s.put("bash", in, files, warnings)
		s = reopened(s)
		k := s.get("bash", in)
		if k == nil {
			t.Fatalf("%d files are not kept", len(files))
		}
		if !reflect.DeepEqual(k.diags, warnings) || len(k.files) != len(files) {
			t.Fatalf("got %d files and %v", len(k.files), k.diags)
		}
		for i, f := range k.files {
			got, _ := f.Bytes()
			want, _ := files[i].Bytes()
			if f.Path != files[i].Path || f.Mode != files[i].Mode || !bytes.Equal(got, want) {
				t.Errorf("%s came back as %s, mode %o, %.20q", files[i].Path, f.Path, f.Mode, got)
			}
		}
		k.release()
	}
	if s.get("bash", &inputs{sum: sha256.Sum256([]byte("others")), commit: in.commit}) != nil {
		t.Error("known with other inputs")
	}
	if s.get("bash", &inputs{sum: in.sum, commit: "b"}) != nil {
		t.Error("known with another commit")
	}
	if s.get("zsh", in) != nil {
		t.Error("known under another name")
	}
	s.put("huge", in, []*overlay.File{overlay.NewFile("f", 0o644, make([]byte, maxResult), nil)}, nil)
	s = reopened(s)
	if s.get("huge", in) != nil {
		t.Error("what is too large is kept")
	}
	data, err := encodeResult(in, resultFiles(), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if decodeResult(bad, in) != nil || decodeResult(data[:i], in) != nil {
			t.Fatalf("damage at byte %d is not noticed", i)
		}
	}
	for _, path := range []string{"", "/etc/passwd", "../../x", "a/../../x"} {
		data, err := encodeResult(in, []*overlay.File{overlay.NewFile(path, 0o644, nil, nil)}, nil, 0)
		if err != nil || decodeResult(data, in) != nil {
			t.Errorf("a file called %q is believed, %v", path, err)
		}
	}
}

// TestSequence brings outcomes in the wrong order.
func TestSequence(t *testing.T) {
	t.Parallel()
	var got []string
	var s *sequence
	s = newSequence(4, func(o *Outcome) {
		got = append(got, o.Component)
		if o.Component == "a" { // brought by another goroutine while this is handed on
			s.put(2, &Outcome{Component: "c"})
		}
	})
	s.put(1, &Outcome{Component: "b"})
	if len(got) > 0 {
		t.Fatalf("handed on too early: %v", got)
	}
	s.put(0, &Outcome{Component: "a"})
	s.put(3, &Outcome{Component: "d"})
	if strings.Join(got, "") != "abcd" {
		t.Errorf("the order is %v", got)
	}
}

// FuzzResult reads arbitrary bytes behind the checks of inputs and checksum.
func FuzzResult(f *testing.F) {
	in := &inputs{commit: "c"}
	seed, err := encodeResult(in, resultFiles(), nil, 0)
	if err != nil {
		f.Fatal(err)
	}
	head := len(resultMagic) + len(in.sum)
	f.Add(seed[head : len(seed)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		k := decodeResult(sealResult(append(bytes.Clone(seed[:head]), body...)), in)
		if k == nil {
			return
		}
		again, err := encodeResult(in, k.files, nil, 0)
		if err != nil || decodeResult(again, in) == nil {
			t.Fatalf("written again it cannot be read: %v", err)
		}
	})
}
