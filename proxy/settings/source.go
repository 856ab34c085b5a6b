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
	_ "golang.org/x/crypto/x509roots/fallback" // the image has no certificates of authorities of its own
)

// source is where settings come from.
type source struct {
	s3      *s3.Client
	secrets *secretsmanager.Client
}

// maxObjectBytes bounds what is read of one object.
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

// object answers the object's content, nil if there is none. S3 tells "there is none" only to who may list the bucket; to others
// it is an error, as it should be: not to know is not to have none.
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

// plain leaves out what differs each time, such as the request's id: the same trouble is told once.
func plain(err error) error {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	return err
}

// secret answers the current value.
func (s *source) secret(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("%s: %w", id, plain(err))
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("%s: holds bytes, expected text", id)
	}
	return *out.SecretString, nil
}
