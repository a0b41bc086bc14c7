package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

const (
	algorithmCosignature = 4 // c2sp.org/tlog-cosignature
	timestampBytes       = 8
)

type notesQuestion struct {
	Notes []struct {
		Note  string   `json:"note"`
		Vkeys []string `json:"vkeys"`
	} `json:"notes"`
}

type openedNote struct {
	Error   string   `json:"error"`
	Text    string   `json:"text"`
	Signers []string `json:"signers"`
}

// openNotes opens every note with the keys given beside it.
func openNotes(question notesQuestion) ([]openedNote, error) {
	opened := []openedNote{}
	for _, each := range question.Notes {
		verifiers, err := verifiersOf(each.Vkeys)
		if err != nil {
			return nil, err
		}
		found, err := note.Open([]byte(each.Note), verifiers)
		if err != nil {
			opened = append(opened, openedNote{Error: err.Error(), Signers: []string{}})
			continue
		}
		opened = append(opened, openedNote{Text: found.Text, Signers: signersOf(found)})
	}
	return opened, nil
}

func signersOf(found *note.Note) []string {
	signers := []string{}
	for _, signature := range found.Sigs {
		signers = append(signers, signature.Name)
	}
	return signers
}

func verifiersOf(vkeys []string) (note.Verifiers, error) {
	list := []note.Verifier{}
	for _, vkey := range vkeys {
		verifier, err := verifierOf(vkey)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", vkey, err)
		}
		list = append(list, verifier)
	}
	return note.VerifierList(list...), nil
}

// verifierOf takes the keys that sumdb/note knows and, beside them, those of witnesses.
func verifierOf(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("a verifier key has three parts")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize {
		return nil, errors.New("the key is not an Ed25519 key")
	}
	if key[0] != algorithmCosignature {
		return note.NewVerifier(vkey)
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	hash := binary.BigEndian.Uint32(digest[:4])
	if stated, err := strconv.ParseUint(parts[1], 16, 32); err != nil || uint32(stated) != hash {
		return nil, errors.New("the key id does not fit the key")
	}
	return witnessVerifier{name: parts[0], hash: hash, key: key[1:]}, nil
}

// witnessVerifier checks cosignature/v1 signatures, which sumdb/note leaves to others.
type witnessVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (v witnessVerifier) Name() string    { return v.name }
func (v witnessVerifier) KeyHash() uint32 { return v.hash }
func (v witnessVerifier) Verify(text, signature []byte) bool {
	if len(signature) != timestampBytes+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature[:timestampBytes])
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
	return ed25519.Verify(v.key, []byte(message), signature[timestampBytes:])
}

type signQuestion struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type signedNote struct {
	Note string `json:"note"`
	Vkey string `json:"vkey"`
}

// signText signs a text as sumdb/note does, with a key made for it.
func signText(question signQuestion) (signedNote, error) {
	private, public, err := note.GenerateKey(rand.Reader, question.Name)
	if err != nil {
		return signedNote{}, err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return signedNote{}, err
	}
	signed, err := note.Sign(&note.Note{Text: question.Text}, signer)
	return signedNote{Note: string(signed), Vkey: public}, err
}
