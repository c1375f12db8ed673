package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fshttp"

	"github.com/snapsync/snapsync/backends/rclone"
	"github.com/snapsync/snapsync/backends/s3/options"
)

const (
	// Transfers is how many requests hide the round trips of small files. Each is cheap for both sides.
	Transfers = 32

	// silence is how long a request may go without a byte in either direction, where nobody has said otherwise.
	silence       = 45 * time.Second
	rcloneTimeout = 5 * time.Minute
)

// newSDK makes a client of the SDK. A patient one waits for an answer as long as rclone would.
func newSDK(rctx context.Context, cfg aws.Config, opt *options.Options, t *throttled, patient bool) *s3.Client {
	attempts := max(1, fs.GetConfig(rctx).LowLevelRetries)
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		client := newHTTPClient(rctx, opt, patient)
		client.Transport = strict{client.Transport}
		o.HTTPClient = client
		if opt.Endpoint != "" {
			o.BaseEndpoint = &opt.Endpoint
		}
		o.UsePathStyle = opt.ForcePathStyle
		o.UseAccelerate = opt.UseAccelerateEndpoint
		o.UseARNRegion = opt.UseARNRegion
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
		if opt.UseDualStack {
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}
		o.Retryer = newRetryer(attempts, t.see)
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // those of content are computed here
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.ContinueHeaderThresholdBytes = -1 // a round trip for each part, and not all servers know it
		o.APIOptions = append(o.APIOptions, leaveEncoding)
	})
}

// leaveEncoding keeps Accept-Encoding out of the signature: proxies change it.
func leaveEncoding(stack *middleware.Stack) error {
	_, _ = stack.Finalize.Remove("DisableAcceptEncodingGzip") // an operation without it is fine
	return nil
}

// once makes a request not be repeated.
func once(o *s3.Options) { o.Retryer = newRetryer(1, notWhenGone) }

// newRetryer makes at most so many attempts. It asks first about each that failed.
func newRetryer(attempts int, first retry.IsErrorRetryableFunc) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(retryPause)
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{first, retry.IsErrorRetryableFunc(notWhenGone)}, o.Retryables...)
	})
}

// notWhenGone ends the attempts when nobody answers: the engine probes then.
func notWhenGone(err error) aws.Ternary {
	var op *net.OpError
	var timeout net.Error
	if errors.Is(err, errNoS3) || errors.Is(err, errSilent) || errors.As(err, &op) && op.Op == "dial" || errors.As(err, &timeout) && timeout.Timeout() {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// newHTTPClient has rclone's transport, and with it rclone's proxies, certificates, addresses and bandwidth.
func newHTTPClient(rctx context.Context, o *options.Options, patient bool) *http.Client {
	rctx, ci := fs.AddConfig(rctx)
	if !patient && !rclone.Limited() && ci.Timeout == fs.Duration(rcloneTimeout) {
		ci.Timeout = fs.Duration(silence)
	}
	transport := fshttp.NewTransportCustom(rctx, func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 4*Transfers
		t.DisableCompression = true // objects come as they are
		// One connection for all would be as slow as one connection is.
		t.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	})
	return &http.Client{
		Transport: transport,
		// A request that is signed for one host is of no use to another; and it may carry keys.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// newConfig finds credentials as rclone does. No request is made yet.
func newConfig(ctx, rctx context.Context, o *options.Options) (aws.Config, error) {
	cfg, err := ownConfig(ctx, o)
	if err != nil {
		return cfg, err
	}
	cfg.Region = o.Region
	if o.RoleARN == "" {
		return cfg, nil
	}
	client := sts.NewFromConfig(cfg, func(c *sts.Options) { c.HTTPClient = newHTTPClient(rctx, o, false) })
	role := stscreds.NewAssumeRoleProvider(client, o.RoleARN, func(a *stscreds.AssumeRoleOptions) {
		if o.RoleSessionName != "" {
			a.RoleSessionName = o.RoleSessionName
		}
		if o.RoleSessionDuration != 0 {
			a.Duration = time.Duration(o.RoleSessionDuration)
		}
		a.ExternalID = options.Header(o.RoleExternalID)
	})
	cfg.Credentials = aws.NewCredentialsCache(role)
	return cfg, nil
}

func ownConfig(ctx context.Context, o *options.Options) (aws.Config, error) {
	switch {
	case o.AccessKeyID != "":
		return aws.Config{Credentials: credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, o.SessionToken)}, nil
	case !o.EnvAuth:
		return aws.Config{Credentials: aws.AnonymousCredentials{}}, nil
	}
	var load []func(*awsconfig.LoadOptions) error
	if o.Profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(o.Profile))
	}
	if o.SharedCredentialsFile != "" {
		load = append(load, awsconfig.WithSharedConfigFiles([]string{o.SharedCredentialsFile}))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return cfg, fmt.Errorf("load credentials of the environment, as env_auth says: %w", err)
	}
	return cfg, nil
}
