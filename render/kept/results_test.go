package kept

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
	in := &Inputs{Sum: sha256.Sum256([]byte("inputs")), Commit: strings.Repeat("a", 40)}
	warnings := diag.List{{Severity: diag.Warning, Code: "overlay/no-effect", Message: "x", Pos: token.Position{Filename: "a.toml", Line: 3, Column: 4}}}
	large := append(resultFiles(), overlay.NewFile("z.patch", 0o644, bytes.Repeat([]byte("0123456789"), usualResult/10), nil))
	for _, files := range [][]*overlay.File{resultFiles(), large, nil} {
		s.Put("bash", in, files, warnings)
		s = reopened(s)
		k := s.Get("bash", in)
		if k == nil {
			t.Fatalf("%d files are not kept", len(files))
		}
		if !reflect.DeepEqual(k.Diags, warnings) || len(k.Files) != len(files) {
			t.Fatalf("got %d files and %v", len(k.Files), k.Diags)
		}
		for i, f := range k.Files {
			got, _ := f.Bytes()
			want, _ := files[i].Bytes()
			if f.Path != files[i].Path || f.Mode != files[i].Mode || !bytes.Equal(got, want) {
				t.Errorf("%s came back as %s, mode %o, %.20q", files[i].Path, f.Path, f.Mode, got)
			}
		}
		k.Release()
	}
	if s.Get("bash", &Inputs{Sum: sha256.Sum256([]byte("others")), Commit: in.Commit}) != nil {
		t.Error("known with other inputs")
	}
	if s.Get("bash", &Inputs{Sum: in.Sum, Commit: "b"}) != nil {
		t.Error("known with another commit")
	}
	if s.Get("zsh", in) != nil {
		t.Error("known under another name")
	}
	s.Put("huge", in, []*overlay.File{overlay.NewFile("f", 0o644, make([]byte, maxResult), nil)}, nil)
	s = reopened(s)
	if s.Get("huge", in) != nil {
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

// FuzzResult reads arbitrary bytes behind the checks of inputs and checksum.
func FuzzResult(f *testing.F) {
	in := &Inputs{Commit: "c"}
	seed, err := encodeResult(in, resultFiles(), nil, 0)
	if err != nil {
		f.Fatal(err)
	}
	head := len(resultMagic) + len(in.Sum)
	f.Add(seed[head : len(seed)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		k := decodeResult(sealResult(append(bytes.Clone(seed[:head]), body...)), in)
		if k == nil {
			return
		}
		again, err := encodeResult(in, k.Files, nil, 0)
		if err != nil || decodeResult(again, in) == nil {
			t.Fatalf("written again it cannot be read: %v", err)
		}
	})
}
