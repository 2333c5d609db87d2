package attest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"

	"specgraft/overlay/diag"
)

// maxKeys bounds a file of keys.
const maxKeys = 1 << 20

// readKeys reads a file of keys, which may be a pipe.
func readKeys(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeys+1))
	if err == nil && len(data) > maxKeys {
		err = fmt.Errorf("it has more than %d KiB", maxKeys>>10)
	}
	return data, err
}

// PayloadType is the type of what is signed.
const PayloadType = "application/vnd.in-toto+json"

// An Envelope is a signed text, as DSSE has it.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"` // base64
	Signatures  []Signature `json:"signatures"`
}

// A Signature is one signature of an envelope, in base64.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// A Key signs.
type Key struct {
	id   string
	sign func(data []byte) ([]byte, error)
}

// A PublicKey verifies.
type PublicKey struct {
	id     string
	verify func(data, sig []byte) bool
}

// ID names the key: for a key of SSH its fingerprint, else the SHA-256 of the
// public key in DER.
func (k *Key) ID() string { return k.id }

// authenticated returns what is really signed: the type and the text with their
// lengths, so that neither can be taken for the other.
func authenticated(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// Sign wraps a text in an envelope.
func (k *Key) Sign(payload []byte) ([]byte, error) {
	sig, err := k.sign(authenticated(PayloadType, payload))
	if err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(Envelope{PayloadType, base64.StdEncoding.EncodeToString(payload),
		[]Signature{{k.id, base64.StdEncoding.EncodeToString(sig)}}}, "", " ")
	return append(data, '\n'), err
}

func badKey(file string, format string, args ...any) error {
	d := &diag.Diagnostic{Code: "attest/key", Message: fmt.Sprintf(format, args...),
		Hint: "make a key with 'ssh-keygen -t ed25519 -N \"\" -f KEY' or 'openssl genpkey -algorithm ed25519 -out KEY'"}
	d.Pos.Filename = file
	return d
}

// ReadKey reads a private key: ed25519 in PEM, or any of SSH. One that others than
// its owner may read is refused.
func ReadKey(file string) (*Key, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, badKey(file, "the key cannot be read: %v", diag.Reason(err))
	}
	if !st.Mode().IsRegular() || st.Size() > maxKeys {
		return nil, badKey(file, "is no key file")
	}
	if st.Mode()&0o077 != 0 {
		d := badKey(file, "the mode %04o lets others read the private key", st.Mode().Perm()).(*diag.Diagnostic)
		d.Hint = "chmod 600 " + file
		return nil, d
	}
	data, err := readKeys(file)
	if err != nil {
		return nil, badKey(file, "the key cannot be read: %v", diag.Reason(err))
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, badKey(file, "is no private key in PEM")
	}
	if block.Type == "PRIVATE KEY" {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, badKey(file, "the private key cannot be read")
		}
		if key, ok := parsed.(ed25519.PrivateKey); ok {
			id, err := derID(key.Public())
			return &Key{id, func(data []byte) ([]byte, error) { return ed25519.Sign(key, data), nil }}, err
		}
		return nil, badKey(file, "the private key is of another kind than ed25519")
	}
	signer, err := ssh.ParsePrivateKey(data)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, badKey(file, "the private key has a passphrase")
	}
	if err != nil {
		return nil, badKey(file, "is no private key of a kind that can be used")
	}
	return &Key{ssh.FingerprintSHA256(signer.PublicKey()), func(data []byte) ([]byte, error) {
		var sig *ssh.Signature
		var err error
		if s, ok := signer.(ssh.AlgorithmSigner); ok && signer.PublicKey().Type() == ssh.KeyAlgoRSA {
			sig, err = s.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
		} else {
			sig, err = signer.Sign(rand.Reader, data)
		}
		if err != nil {
			return nil, err
		}
		return sig.Blob, nil
	}}, nil
}

func derID(public any) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:]), err
}

// ReadPublicKeys reads the public keys that signatures may be of: one ed25519 key
// in PEM, or lines as in SSH's authorized_keys.
func ReadPublicKeys(file string) ([]PublicKey, error) {
	data, err := readKeys(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, badKey(file, "there is no such file")
		}
		return nil, badKey(file, "the key cannot be read: %v", diag.Reason(err))
	}
	if block, _ := pem.Decode(data); block != nil {
		if block.Type != "PUBLIC KEY" {
			return nil, badKey(file, "is a %q, not a public key", excerpt(block.Type))
		}
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		key, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, badKey(file, "the public key is of another kind than ed25519")
		}
		id, err := derID(key)
		return []PublicKey{{id, func(data, sig []byte) bool { return ed25519.Verify(key, data, sig) }}}, err
	}
	var keys []PublicKey
	for len(bytes.TrimSpace(data)) > 0 {
		key, _, _, rest, err := ssh.ParseAuthorizedKey(data)
		if err != nil {
			return nil, badKey(file, "has a line that is no public key")
		}
		data = rest
		format := key.Type()
		if format == ssh.KeyAlgoRSA {
			format = ssh.KeyAlgoRSASHA512
		}
		keys = append(keys, PublicKey{ssh.FingerprintSHA256(key), func(data, sig []byte) bool {
			return key.Verify(data, &ssh.Signature{Format: format, Blob: sig}) == nil
		}})
	}
	if len(keys) == 0 {
		return nil, badKey(file, "%v", errNoKey)
	}
	return keys, nil
}

// open returns the text in an envelope, whose signature must be of one of the
// keys. What is no envelope comes back as it is, and signed is false.
func open(data []byte, keys []PublicKey) (payload []byte, signer string, err error) {
	var e Envelope
	if json.Unmarshal(data, &e) != nil || e.PayloadType == "" {
		if len(keys) > 0 {
			return nil, "", wrongSignature("the attestation is not signed", "sign it with 'specgraft attest --sign KEY', or leave out --key")
		}
		return data, "", nil
	}
	if e.PayloadType != PayloadType {
		return nil, "", bad("the envelope holds %q, not %s", excerpt(e.PayloadType), PayloadType)
	}
	if payload, err = base64.StdEncoding.DecodeString(e.Payload); err != nil {
		return nil, "", bad("the envelope's payload is not base64")
	}
	if len(keys) == 0 {
		return payload, "", nil
	}
	text := authenticated(e.PayloadType, payload)
	for _, s := range e.Signatures {
		sig, err := base64.StdEncoding.DecodeString(s.Sig)
		if err != nil {
			continue
		}
		for _, k := range keys { // the name in the envelope is no more than a hint
			if k.verify(text, sig) {
				return payload, k.id, nil
			}
		}
	}
	by := "nobody"
	if len(e.Signatures) > 0 {
		by = excerpt(e.Signatures[0].KeyID)
	}
	return nil, "", wrongSignature(fmt.Sprintf("the signature of %s is not one of the key %s", by, keys[0].id),
		"give the public key of who signed with --key; when it is the right one, the attestation was changed")
}

func wrongSignature(message, hint string) error {
	return &diag.Diagnostic{Code: "attest/signature", Message: message, Hint: hint}
}
