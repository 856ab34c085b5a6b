package main

import (
	_ "github.com/aws/aws-sdk-go-v2/config"
	_ "github.com/aws/aws-sdk-go-v2/service/s3"
	_ "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	_ "github.com/evanphx/json-patch/v5"
	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {}
