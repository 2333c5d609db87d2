package attest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"specgraft/overlay/diag"
)

// writeKeys writes a new key in both parts, in PEM or as SSH has it.
func writeKeys(t *testing.T, forSSH bool) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	private, public = filepath.Join(dir, "key"), filepath.Join(dir, "key.pub")
	var secret, open []byte
	if forSSH {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		sshPub, err := ssh.NewPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		secret, open = pem.EncodeToMemory(block), ssh.MarshalAuthorizedKey(sshPub)
	} else {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		pubDER, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			t.Fatal(err)
		}
		secret = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		open = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pubDER})
	}
	if err := os.WriteFile(private, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(public, open, 0o644); err != nil {
		t.Fatal(err)
	}
	return private, public
}

func TestSign(t *testing.T) {
	t.Parallel()
	for _, forSSH := range []bool{false, true} {
		private, public := writeKeys(t, forSSH)
		_, other := writeKeys(t, forSSH)
		key, err := ReadKey(private)
		if err != nil {
			t.Fatal(err)
		}
		text := []byte(`{"a":1}`)
		signed, err := key.Sign(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := key.Sign(text); err != nil || string(again) != string(signed) {
			t.Errorf("the second signature is another: %v", err)
		}
		keys, err := ReadPublicKeys(public)
		if err != nil {
			t.Fatal(err)
		}
		got, signer, err := open(signed, keys)
		if err != nil || string(got) != string(text) || signer != key.ID() || signer == "" {
			t.Errorf("%q of %q, %v", got, signer, err)
		}
		// The signature is the one of the text's encoding that DSSE defines.
		var e Envelope
		if err := json.Unmarshal(signed, &e); err != nil || e.PayloadType != PayloadType || len(e.Signatures) != 1 {
			t.Fatalf("%+v, %v", e, err)
		}
		if want := "DSSEv1 28 application/vnd.in-toto+json 7 {\"a\":1}"; string(authenticated(PayloadType, text)) != want {
			t.Errorf("%q is signed", authenticated(PayloadType, text))
		}
		wrong, err := ReadPublicKeys(other)
		if err != nil {
			t.Fatal(err)
		}
		changed := e
		changed.Payload = base64.StdEncoding.EncodeToString([]byte(`{"a":2}`))
		bare := e
		bare.Signatures = nil
		for name, test := range map[string]struct {
			e    Envelope
			keys []PublicKey
		}{"wrong key": {e, wrong}, "changed text": {changed, keys}, "no signature": {bare, keys}} {
			data, err := json.Marshal(test.e)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := open(data, test.keys); err == nil || !strings.Contains(err.Error(), "attest/signature") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := open(text, keys); err == nil {
			t.Error("a text without a signature is taken as signed")
		}
		for _, mode := range []os.FileMode{0o644, 0o640, 0o604} {
			if err := os.Chmod(private, mode); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadKey(private); err == nil || !strings.Contains(err.Error(), "lets others read") {
				t.Errorf("mode %o: %v", mode, err)
			}
		}
	}
}

func TestBadKeys(t *testing.T) {
	t.Parallel()
	private, public := writeKeys(t, true)
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "text": "hello\n", "pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadKey(file); err == nil || !strings.Contains(err.Error(), "attest/key") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ReadPublicKeys(file); err == nil || !strings.Contains(err.Error(), "attest/key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadKey(public); err == nil {
		t.Error("a public key signs")
	}
	if _, err := ReadPublicKeys(private); err == nil {
		t.Error("a private key is taken for a public one")
	}
	if _, err := ReadKey(filepath.Join(dir, "gone")); err == nil {
		t.Error("no key is a key")
	}
}

func TestDifference(t *testing.T) {
	t.Parallel()
	a, b := File{"a", "0644", "1"}, File{"b", "0644", "2"}
	for _, test := range []struct {
		want, have []File
		path, how  string
	}{
		{[]File{a, b}, []File{a, b}, "", ""},
		{[]File{a, b}, []File{b}, "a", "is missing"},
		{[]File{a, b}, []File{a}, "b", "is missing"},
		{[]File{b}, []File{a, b}, "a", "was added"},
		{[]File{a}, []File{a, b}, "b", "was added"},
		{[]File{a}, []File{{"a", "0644", "2"}}, "a", "has another content"},
		{[]File{a}, []File{{"a", "link", "1"}}, "a", "has another content"},
		{[]File{a}, []File{{"a", "0755", "1"}}, "a", "has the mode 0755, not 0644"},
	} {
		path, how := Difference(test.want, test.have)
		if path != test.path || how != test.how {
			t.Errorf("%v, %v: %s %s, want %s %s", test.want, test.have, path, how, test.path, test.how)
		}
		if same := TreeDigest(test.want) == TreeDigest(test.have); same != (test.how == "") {
			t.Errorf("%v, %v: equal digests: %v", test.want, test.have, same)
		}
	}
}

// TestHostileStatements reads statements, envelopes and keys that are nested without
// end, or large.
func TestHostileStatements(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`[`, 1<<20)
	for name, tt := range map[string]struct{ text, want string }{
		"arrays":      {deep, "not JSON that could be read"},
		"objects":     {strings.Repeat(`{"a":`, 1<<20), "not JSON that could be read"},
		"whole":       {`{"_type":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "not JSON that could be read"},
		"ignored":     {`{"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "not JSON that could be read"},
		"subjects":    {`{"subject":[` + strings.Repeat("{},", maxObjects) + `{}]}`, "more than 2000000 objects"},
		"an envelope": {`{"payloadType":"application/vnd.in-toto+json","payload":"` + base64.StdEncoding.EncodeToString([]byte(deep)) + `"}`, "not JSON that could be read"},
		"signatures":  {`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":` + deep, "not JSON that could be read"},
	} {
		_, err := Verify([]byte(tt.text), nil, Place{Root: "testdata", Rendered: "testdata"})
		if !diag.HasCode(err, "attest/bad") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %.300v, want %s", name, err, tt.want)
		}
	}
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, bytes.Repeat([]byte("#\n"), maxKeys), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"a large file": second(ReadPublicKeys(file)), "a large key": second(ReadKey(file)), "a device": second(ReadPublicKeys("/dev/zero"))} {
		if !diag.HasCode(err, "attest/key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","subject":[{"name":"../x","digest":{"specgraftTreeV1":"0"}}],"predicate":{"buildDefinition":{"buildType":"urn:specgraft:render:v1"}}}`))
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30="}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if v, err := Verify(data, nil, Place{Root: "testdata", Rendered: "testdata", Commit: ""}); err == nil && v.Directories > 0 {
			t.Errorf("something that is not there is right: %+v", v)
		}
	})
}
