package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	_ "golang.org/x/crypto/x509roots/fallback" // the image contains no CA certificates
)

// source reads settings from S3 and Secrets Manager.
type source struct {
	s3      *s3.Client
	secrets *secretsmanager.Client
}

// maxObjectBytes is the maximum size of an object.
const maxObjectBytes = 16 << 20

func newSource(ctx context.Context, o options) (*source, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	return &source{
		s3:      s3.NewFromConfig(c, func(s *s3.Options) { s.UsePathStyle = o.Endpoint != "" }),
		secrets: secretsmanager.NewFromConfig(c),
	}, nil
}

// object returns the object's content, or nil if it does not exist. S3 reports that it does not exist only to callers that may list the
// bucket. To others it returns an access error, which is returned as an error here.
func (s *source) object(ctx context.Context, o object) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &o.Bucket, Key: &o.Key})
	if none := (*s3types.NoSuchKey)(nil); errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, plain(err))
	}
	defer out.Body.Close()
	data, err := io.ReadAll(io.LimitReader(out.Body, maxObjectBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	if len(data) > maxObjectBytes {
		return nil, fmt.Errorf("%s: more than %d bytes", o, maxObjectBytes)
	}
	return data, nil
}

// plain removes what differs between requests, such as the request id, so that a repeated problem is logged once.
func plain(err error) error {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	return err
}

// secret returns the current value of a secret.
func (s *source) secret(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("%s: %w", id, plain(err))
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("%s: given a binary value, expected text", id)
	}
	return *out.SecretString, nil
}
