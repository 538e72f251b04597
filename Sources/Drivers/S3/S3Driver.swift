// The driver of S3-compatible object stores: from options to a storage.

internal import BackstopCore

let s3 = StorageDriver(name: "s3") { (options, index, context) async throws(BackupError) in
    let settings = try S3Settings(options, index)
    let http = HTTPClient(settings.http)
    let source = try s3KeySource(options, index)
    return S3Storage(settings, S3Client(settings, http, S3Credentials(source, http, context.log), context.log))
}

extension S3Settings {
    init(_ options: Options, _ index: Int) throws(BackupError) {
        repository = index
        bucket = try options.required("repo-s3-bucket", index)
        region = try options.required("repo-s3-region", index)
        service = options.string("repo-s3-service", index) ?? "s3"
        uriStyle = options.string("repo-s3-uri-style", index) == "path" ? .path : .host
        endpoint = try Endpoint(try options.required("repo-s3-endpoint", index), option: "repo\(index)-s3-endpoint")
        if let host = options.string("repo-storage-host", index) {
            connectTo = try Endpoint(host, option: "repo\(index)-storage-host")
        }
        if options.isGiven("repo-storage-port", index), let port = options.number("repo-storage-port", index) {
            if connectTo == nil { endpoint.port = Int(port) } else { connectTo?.port = Int(port) }
        }
        http = HTTPSettings(options, index)
        if uriStyle == .host, bucket.contains("."), isEncrypted, http.verifiesTLS {
            throw BackupError(
                .optionInvalidValue, "'\(bucket)' is not valid for 'repo\(index)-s3-bucket' option",
                hint: "with TLS a bucket with a dot in its name needs repo\(index)-s3-uri-style=path: no certificate fits its host name.")
        }
        guard !needsPathStyle else {
            throw BackupError(
                .optionInvalidValue, "there is no host '\(bucket).\(endpoint.host)': the endpoint is an address, not a name",
                hint: "set repo\(index)-s3-uri-style=path.")
        }
        prefix = Key(absolute: try options.required("repo-path", index)).path
        tags = options.map("repo-storage-tag", index).map { (name: $0.key, value: $0.value) }.sorted { bytewiseLess($0.name, $1.name) }
        kmsKeyID = options.string("repo-s3-kms-key-id", index)
        customerKey = options.string("repo-s3-sse-customer-key", index)
        if let customerKey, bytes(base64: customerKey)?.count != 32 {
            throw BackupError(
                .optionInvalidValue, "the value of 'repo\(index)-s3-sse-customer-key' is not a key",
                hint: "it is the base64 of 32 random bytes: openssl rand -base64 32.")
        }
        requesterPays = options.optionalFlag("repo-s3-requester-pays", index) ?? false
        if let mode = options.string("repo-s3-object-lock", index), mode != "none" {
            lock = (mode == "compliance" ? .compliance : .governance, Int(options.number("repo-s3-object-lock-days", index) ?? 0))
        }
        if let text = options.string("repo-target-time") {
            guard let time = seconds(recoveryTime: text) else {
                throw BackupError(
                    .optionInvalidValue, "'\(text)' is not valid for 'repo-target-time' option", hint: "write it as 2026-11-21 09:00:00+00."
                )
            }
            targetTime = time
        }
        partSize = options.number("repo-storage-upload-chunk-size", index).map { Int($0) } ?? partSize
        prefetch = options.number("repo-storage-prefetch", index).map { Int($0) } ?? prefetch
    }
}

extension HTTPSettings {
    /// Those of the repository, and those of all connections.
    init(_ options: Options, _ index: Int) {
        verifiesTLS = options.optionalFlag("repo-storage-verify-tls", index) ?? true
        authorityFile = options.string("repo-storage-ca-file", index)
        authorityFolder = options.string("repo-storage-ca-path", index)
        usesHTTP2 = options.flag("repo-storage-http2", index)
        timeout = options.duration("io-timeout") ?? timeout
        keepsAlive = options.optionalFlag("sck-keep-alive") ?? true
        keepAliveIdle = options.number("tcp-keep-alive-idle").map { Int($0) }
        keepAliveInterval = options.number("tcp-keep-alive-interval").map { Int($0) }
        ciphers12 = options.string("tls-cipher-12")
        ciphers13 = options.string("tls-cipher-13")
    }
}
