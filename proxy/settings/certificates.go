package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"lockstep/proxy/internal/authority"
)

// readPair takes {"certificate", "key"} of a secret, both PEM, and answers them if they belong together.
func readPair(secret string) (authority.Pair, error) {
	var text struct{ Certificate, Key string }
	if err := json.Unmarshal([]byte(secret), &text); err != nil || text.Certificate == "" || text.Key == "" {
		return authority.Pair{}, errors.New(`not {"certificate": PEM, "key": PEM}`) // never what it is instead: it may be a key
	}
	pair := authority.Pair{Certificate: []byte(text.Certificate), Key: []byte(text.Key)}
	if _, err := tls.X509KeyPair(pair.Certificate, pair.Key); err != nil {
		return authority.Pair{}, fmt.Errorf("certificate and key: %w", err)
	}
	return pair, nil
}

// Issuer of whatever is in force only until the real thing is there.
const standIn = "Lockstep stand-in"

// isStandIn goes by the issuer of the first certificate.
func isStandIn(certificates []byte) bool {
	block, _ := pem.Decode(certificates)
	if block == nil {
		return false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	return err == nil && certificate.Issuer.CommonName == standIn
}

// standInPair is a certificate that no browser believes.
func standInPair() (authority.Pair, error) {
	a, err := authority.New(standIn, 10*365*24*time.Hour)
	if err != nil {
		return authority.Pair{}, err
	}
	return a.Server("localhost")
}

// standInAuthority is one whose key is forgotten at once, so that nobody has a certificate of it.
func standInAuthority() (authorities, revocations []byte, err error) {
	a, err := authority.New(standIn, 10*365*24*time.Hour)
	if err != nil {
		return nil, nil, err
	}
	revocations, err = a.RevocationList(1, a.Certificate.NotAfter)
	return a.PEM(), revocations, err
}

// judgeRevocations answers why this set may not come into force, nil if it may: each authority has a list that it signed itself, each list is by an
// authority, and none is older than the same authority's in force. inForce may be nil.
func judgeRevocations(authorities, revocations, inForce []byte) error {
	certificates, err := parseCertificates(authorities)
	if err != nil {
		return fmt.Errorf("authorities: %w", err)
	}
	lists, err := parseLists(revocations)
	if err != nil {
		return fmt.Errorf("revocation lists: %w", err)
	}
	old, err := parseLists(inForce)
	if err != nil {
		old = nil // the file was damaged; anything is better
	}
	used := make([]bool, len(lists))
	for _, certificate := range certificates {
		var own *x509.RevocationList
		for i, list := range lists {
			if !signedBy(list, certificate) {
				continue
			}
			if own != nil {
				return fmt.Errorf("authority %q: two revocation lists", certificate.Subject)
			}
			own, used[i] = list, true
		}
		if own == nil {
			return fmt.Errorf("authority %q: no revocation list that it signed", certificate.Subject)
		}
		for _, before := range old {
			if signedBy(before, certificate) && older(own, before) {
				return fmt.Errorf("authority %q: revocation list %v of %v is older than the one in force, %v of %v", certificate.Subject,
					own.Number, own.ThisUpdate.Format(time.RFC3339), before.Number, before.ThisUpdate.Format(time.RFC3339))
			}
		}
	}
	for i, list := range lists {
		if !used[i] {
			return fmt.Errorf("revocation list of %q: signed by none of the authorities", list.Issuer)
		}
	}
	return nil
}

// signedBy goes by the key, since a name can be anybody's.
func signedBy(list *x509.RevocationList, certificate *x509.Certificate) bool {
	return bytes.Equal(list.RawIssuer, certificate.RawSubject) && list.CheckSignatureFrom(certificate) == nil
}

// older compares by number where both have one; a clock that was set back does not matter then.
func older(a, b *x509.RevocationList) bool {
	if a.Number != nil && b.Number != nil {
		if order := a.Number.Cmp(b.Number); order != 0 {
			return order < 0
		}
	}
	return a.ThisUpdate.Before(b.ThisUpdate)
}

// expired answers the issuers of lists whose time is over: nginx refuses all of their clients.
func expired(revocations []byte, now time.Time) (issuers []string) {
	lists, err := parseLists(revocations)
	if err != nil {
		return nil // judged before
	}
	for _, list := range lists {
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			issuers = append(issuers, list.Issuer.String())
		}
	}
	return issuers
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	blocks, err := blocks(data, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, block := range blocks {
		certificate, err := x509.ParseCertificate(block)
		if err != nil {
			return nil, err
		}
		if !certificate.IsCA {
			return nil, fmt.Errorf("%q is not an authority", certificate.Subject)
		}
		all = append(all, certificate)
	}
	return all, nil
}

func parseLists(data []byte) ([]*x509.RevocationList, error) {
	blocks, err := blocks(data, "X509 CRL")
	if err != nil {
		return nil, err
	}
	var all []*x509.RevocationList
	for _, block := range blocks {
		list, err := x509.ParseRevocationList(block)
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	return all, nil
}

// blocks answers the content of PEM blocks, all of which must be of kind, and at least one.
func blocks(data []byte, kind string) ([][]byte, error) {
	var all [][]byte
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("given a %s, expected %s", block.Type, kind)
		}
		all, data = append(all, block.Bytes), rest
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no %s in PEM", kind)
	}
	if len(bytes.TrimSpace(data)) > 0 {
		return nil, fmt.Errorf("something that is not PEM after the last %s", kind)
	}
	return all, nil
}
