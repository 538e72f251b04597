// A bucket, or what is below a prefix of one, as a storage.

public import BackstopCore
internal import Glibc
internal import Synchronization

/// Any store that speaks the S3 protocol. Objects appear under their name when the store has all their bytes, and are durable then, so
/// `sync` has nothing to do.
public final class S3Storage: UploadingStorage {
    let settings: S3Settings
    let client: S3Client
    let parts: PartBufferPool
    let reads: PartBufferPool
    /// Of a storage in the past: known to be possible.
    let keepsVersions = Atomic<Bool>(false)

    /// The bucket is there and may be listed.
    private let hasBucket = Atomic<Bool>(false)

    init(_ settings: S3Settings, _ client: S3Client) {
        self.settings = settings
        self.client = client
        parts = PartBufferPool(capacity: settings.partSize)
        reads = PartBufferPool(capacity: settings.readSize)
    }

    public var capabilities: Capabilities { .versions }
    public var location: String { settings.location }
    public var smallAtATime: Int { 8 }
    public var readSize: Int? { settings.readSize }

    // MARK: Reading

    public func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        var version: String?
        if settings.targetTime != nil {
            guard let found = try await self.version(of: key) else { throw missing(key) }
            version = found.id
        }
        if let range, range.isEmpty {
            // A store has no word for no bytes at all.
            guard try await stat(key) != nil else { throw missing(key) }
            return BytesSource([])
        }
        return try await S3Source.open(self, key, range, version: version)
    }

    public func stat(_ key: Key) async throws(BackupError) -> Entry? {
        if settings.targetTime != nil { return try await version(of: key).map { entry(key, $0) } }
        let answer: HTTPAnswer
        do throws(BackupError) {
            answer = try await client.send(
                S3Call(method: "HEAD", name: settings.name(key), headers: customerKeyHeaders(), what: "look at '\(shown(key))'"))
        } catch {
            if [.notFound, .denied, .io].contains(error.code) { try await askWhy(key) }
            if error.code == .notFound { return nil }
            throw error
        }
        hasBucket.store(true, ordering: .relaxed)
        guard let size = answer.headers["content-length"].flatMap({ UInt64($0) }) else {
            throw BackupError(.corrupt, "the store does not tell the size of '\(shown(key))'")
        }
        let modified = answer.headers["last-modified"].flatMap { seconds(httpDate: $0) }
        return Entry(key: key, kind: .file, size: size, modified: modified ?? 0)
    }

    /// The answer to a HEAD has no words: a listing fails with them when the bucket is missing or may not be used.
    private func askWhy(_ key: Key) async throws(BackupError) {
        guard !hasBucket.load(ordering: .relaxed) else { return }
        let query = [(name: "encoding-type", value: "url"), ("prefix", settings.name(key)), ("list-type", "2"), ("max-keys", "1")]
        _ = try await page(query, "ListBucketResult", key)
        hasBucket.store(true, ordering: .relaxed)
    }

    // MARK: Writing

    public func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        try refuseInThePast("put '\(shown(key))'")
        if options.ifAbsent {
            throw BackupError(.unsupported, "unable to put '\(shown(key))' only if it is absent: not every store can do that")
        }
        var upload = S3Put(self, key)
        return try await upload.run(from: &source)
    }

    public func remove(_ key: Key) async throws(BackupError) {
        try refuseInThePast("remove '\(shown(key))'")
        do throws(BackupError) {
            _ = try await client.send(S3Call(method: "DELETE", name: settings.name(key), what: "remove '\(shown(key))'"))
        } catch {
            if error.code != .notFound { throw explainedLock(error) }
        }
    }

    public func sync(_ prefix: Key) async throws(BackupError) {}

    private func refuseInThePast(_ what: String) throws(BackupError) {
        if settings.targetTime != nil {
            throw BackupError(
                .unsupported, "unable to \(what): with repo-target-time the repository is seen as it was and cannot be changed")
        }
    }

    // MARK: What requests have in common

    func shown(_ key: Key) -> String { "\(location)/\(key)" }

    func missing(_ key: Key) -> BackupError { BackupError(.notFound, "'\(shown(key))' does not exist") }

    /// The key that the store encrypts with goes along with every request for content.
    func customerKeyHeaders() -> [(name: String, value: String)] {
        guard let key = settings.customerKey, let plain = bytes(base64: key), let md5 = try? Hash.md5(plain) else { return [] }
        return [
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"), ("x-amz-server-side-encryption-customer-key", key),
            ("x-amz-server-side-encryption-customer-key-md5", base64(md5)),
        ]
    }

    /// A lock is the likeliest reason for a refusal where locks are set.
    func explainedLock(_ error: BackupError) -> BackupError {
        guard error.code == .denied, let lock = settings.lock else { return error }
        var error = error
        error.hint =
            "objects of this repository are locked for \(lock.days) days (repo-s3-object-lock=\(lock.mode.rawValue.lowercased())): "
            + "they cannot be removed before.\n" + (error.hint ?? "")
        return error
    }
}
