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

// readPair parses a secret of the form {"certificate": PEM, "key": PEM} and returns the pair if certificate and key match.
func readPair(secret string) (authority.Pair, error) {
	var text struct{ Certificate, Key string }
	if err := json.Unmarshal([]byte(secret), &text); err != nil || text.Certificate == "" || text.Key == "" {
		return authority.Pair{}, errors.New(`not {"certificate": PEM, "key": PEM}`) // without the value, which may be a key
	}
	pair := authority.Pair{Certificate: []byte(text.Certificate), Key: []byte(text.Key)}
	if _, err := tls.X509KeyPair(pair.Certificate, pair.Key); err != nil {
		return authority.Pair{}, fmt.Errorf("certificate and key: %w", err)
	}
	return pair, nil
}

// placeholder is the issuer of placeholder certificates.
const placeholder = "Lockstep stand-in"

// isPlaceholder checks the issuer of the first certificate.
func isPlaceholder(certificates []byte) bool {
	block, _ := pem.Decode(certificates)
	if block == nil {
		return false
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	return err == nil && certificate.Issuer.CommonName == placeholder
}

// placeholderPair returns a certificate that browsers don't trust.
func placeholderPair() (authority.Pair, error) {
	a, err := authority.New(placeholder, 10*365*24*time.Hour)
	if err != nil {
		return authority.Pair{}, err
	}
	return a.Server("localhost")
}

// placeholderAuthority returns an authority whose key is discarded at once, so that it never issues a certificate.
func placeholderAuthority() (authorities, revocations []byte, err error) {
	a, err := authority.New(placeholder, 10*365*24*time.Hour)
	if err != nil {
		return nil, nil, err
	}
	revocations, err = a.RevocationList(1, a.Certificate.NotAfter)
	return a.PEM(), revocations, err
}

// checkRevocations returns nil if the set is valid: each authority has exactly one list that it signed itself, each list is signed by an
// authority, and none is older than the same authority's current list. current may be nil.
func checkRevocations(authorities, revocations, current []byte) error {
	certificates, err := parseCertificates(authorities)
	if err != nil {
		return fmt.Errorf("authorities: %w", err)
	}
	lists, err := parseLists(revocations)
	if err != nil {
		return fmt.Errorf("revocation lists: %w", err)
	}
	old, err := parseLists(current)
	if err != nil {
		old = nil // the current file is damaged, so any list is better
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
				return fmt.Errorf("authority %q: revocation list %v of %v is older than the current one, %v of %v", certificate.Subject,
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

// signedBy checks the signature, because anybody can use the same name.
func signedBy(list *x509.RevocationList, certificate *x509.Certificate) bool {
	return bytes.Equal(list.RawIssuer, certificate.RawSubject) && list.CheckSignatureFrom(certificate) == nil
}

// older compares list numbers if both lists have one, which is independent of clocks.
func older(a, b *x509.RevocationList) bool {
	if a.Number != nil && b.Number != nil {
		if order := a.Number.Cmp(b.Number); order != 0 {
			return order < 0
		}
	}
	return a.ThisUpdate.Before(b.ThisUpdate)
}

// expired returns the issuers of expired lists. nginx refuses all clients of these issuers.
func expired(revocations []byte, now time.Time) (issuers []string) {
	lists, err := parseLists(revocations)
	if err != nil {
		return nil // checked earlier
	}
	for _, list := range lists {
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			issuers = append(issuers, list.Issuer.String())
		}
	}
	return issuers
}

// daysLeft returns the days until the first of the certificates expires; negative if it has. Blocks that nginx ignores don't count.
func daysLeft(data []byte, now time.Time) (days float64, ok bool) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if left := certificate.NotAfter.Sub(now).Hours() / 24; !ok || left < days {
			days, ok = left, true
		}
	}
	return days, ok
}

// percentLeft returns how much of its lifetime the first of the lists to expire has left; negative if it has expired. Lists that never
// expire don't count.
func percentLeft(data []byte, now time.Time) (percent float64, ok bool) {
	lists, _ := parseLists(data) // checked before they came into force
	for _, list := range lists {
		if list.NextUpdate.IsZero() {
			continue
		}
		if left := 100 * float64(list.NextUpdate.Sub(now)) / float64(list.NextUpdate.Sub(list.ThisUpdate)); !ok || left < percent {
			percent, ok = left, true
		}
	}
	return percent, ok
}

func parseCertificates(data []byte) ([]*x509.Certificate, error) {
	return parseAll(data, "CERTIFICATE", func(block []byte) (*x509.Certificate, error) {
		certificate, err := x509.ParseCertificate(block)
		if err == nil && !certificate.IsCA {
			err = fmt.Errorf("%q is not an authority", certificate.Subject)
		}
		return certificate, err
	})
}

func parseLists(data []byte) ([]*x509.RevocationList, error) {
	return parseAll(data, "X509 CRL", x509.ParseRevocationList)
}

// parseAll parses at least one PEM block. All blocks must be of kind.
func parseAll[T any](data []byte, kind string, parse func(block []byte) (T, error)) ([]T, error) {
	var all []T
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != kind {
			return nil, fmt.Errorf("given a %s, expected %s", block.Type, kind)
		}
		parsed, err := parse(block.Bytes)
		if err != nil {
			return nil, err
		}
		all, data = append(all, parsed), rest
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no %s in PEM", kind)
	}
	if len(bytes.TrimSpace(data)) > 0 {
		return nil, fmt.Errorf("data that is not PEM after the last %s", kind)
	}
	return all, nil
}
