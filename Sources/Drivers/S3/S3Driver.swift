// The driver of S3-compatible object stores: from options to a storage.

internal import BackstopCore

let s3 = StorageDriver(name: "s3", options: ObjectStoreOptions.specs + S3Options.specs, hasLinks: false) {
    (options, index, context) async throws(BackupError) in
    let settings = try S3Settings(options, index)
    let http = HTTPClient(settings.http)
    let source = try s3KeySource(options, index)
    return S3Storage(settings, S3Client(settings, http, S3Credentials(source, http, context.log), context.log))
}

extension S3Settings {
    init(_ options: Options, _ index: Int) throws(BackupError) {
        repository = index
        bucket = try options.required(S3Options.bucket, index)
        region = try options.required(S3Options.region, index)
        service = options[S3Options.service, index]
        uriStyle = options[S3Options.uriStyle, index] == "path" ? .path : .host
        endpoint = try Endpoint(try options.required(S3Options.endpoint, index), option: "repo\(index)-s3-endpoint")
        if let host = options[ObjectStoreOptions.host, index] {
            connectTo = try Endpoint(host, option: "repo\(index)-storage-host")
        }
        if options.isGiven(ObjectStoreOptions.port, index) {
            let port = options[ObjectStoreOptions.port, index]
            if connectTo == nil { endpoint.port = port } else { connectTo?.port = port }
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
        prefix = Key(absolute: options[PlaceOptions.path, index]).path
        tags = options[ObjectStoreOptions.tag, index].map { (name: $0.key, value: $0.value) }.sorted { bytewiseLess($0.name, $1.name) }
        kmsKeyID = options[S3Options.kmsKeyID, index]
        customerKey = options[S3Options.sseCustomerKey, index]
        if let customerKey, bytes(base64: customerKey)?.count != 32 {
            throw BackupError(
                .optionInvalidValue, "the value of 'repo\(index)-s3-sse-customer-key' is not a key",
                hint: "it is the base64 of 32 random bytes: openssl rand -base64 32.")
        }
        requesterPays = options[S3Options.requesterPays, index]
        let mode = options[S3Options.objectLock, index]
        if mode != "none" {
            lock = (mode == "compliance" ? .compliance : .governance, try options.required(S3Options.objectLockDays, index))
        }
        if let text = options[PlaceOptions.targetTime] {
            guard let time = seconds(recoveryTime: text) else {
                throw BackupError(
                    .optionInvalidValue, "'\(text)' is not valid for 'repo-target-time' option", hint: "write it as 2026-11-21 09:00:00+00."
                )
            }
            targetTime = time
        }
        partSize = options[ObjectStoreOptions.uploadChunkSize, index] ?? partSize
        prefetch = options[ObjectStoreOptions.prefetch, index]
    }
}

extension HTTPSettings {
    /// Those of the repository, and those of all connections.
    init(_ options: Options, _ index: Int) {
        verifiesTLS = options[ObjectStoreOptions.verifyTLS, index]
        authorityFile = options[ObjectStoreOptions.caFile, index]
        authorityFolder = options[ObjectStoreOptions.caPath, index]
        usesHTTP2 = options[ObjectStoreOptions.http2, index]
        timeout = options[NetworkOptions.ioTimeout]
        keepsAlive = options[NetworkOptions.sckKeepAlive]
        keepAliveIdle = options[NetworkOptions.tcpKeepAliveIdle]
        keepAliveInterval = options[NetworkOptions.tcpKeepAliveInterval]
        ciphers12 = options[NetworkOptions.tlsCipher12]
        ciphers13 = options[NetworkOptions.tlsCipher13]
    }
}
