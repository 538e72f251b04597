// One configured repository: its storage and how its files are encoded.

import BackstopCore

struct Repository: Sendable {
    /// As in `repo1-…`.
    let index: Int
    let storage: any Storage
    let registry: Registry
    /// Of the info files; everything else has one of its own (repository-format.md section 8.2).
    let seal: Seal?

    var name: String { "repo\(index)" }

    /// Opens the storage that the options of this index describe.
    /// `locks`: what is to be locked on the repository's host, when that is another one.
    static func open(_ index: Int, _ context: RunContext, locks: HostLocks? = nil) async throws(BackupError) -> Repository {
        let options = context.options
        let registry = context.registry
        let storage = try await openStorage(index, context, context.driverContext(locks: locks))
        if options.isGiven(PlaceOptions.targetTime), !storage.capabilities.contains(.versions) {
            throw BackupError(
                .unsupported,
                "repo\(index) cannot be seen as it was at a time: a storage of type '\(storageType(index, options))' keeps no old versions",
                hint: "take out repo-target-time.")
        }
        var encryption = try Encryption(options, index)
        if !options.isGiven(CodecOptions.cipherType, index) { encryption = (storage as? any FarStorage)?.encryption }
        let seal = if let encryption { try Seal(encryption, registry) } else { Seal?.none }
        return Repository(index: index, storage: storage, registry: registry, seal: seal)
    }

    private static func storageType(_ index: Int, _ options: Options) -> String { options[PlaceOptions.type, index] }

    /// The bare bytes of the repository.
    static func openStorage(_ index: Int, _ context: RunContext, _ driverContext: DriverContext) async throws(BackupError) -> any Storage {
        let type = storageType(index, context.options)
        // What a repository on another host is, that host's configuration says.
        let isFar = context.options.isGiven(RepositoryHostOptions.host, index)
        let name = isFar ? context.options[RepositoryHostOptions.type, index] : type
        return try await context.registry.storage(name).open(context.options, index, driverContext)
    }

    func sha1() throws(BackupError) -> any Checksum { try registry.checksum("sha1").make() }

    // MARK: Whole files that are encrypted but not compressed

    func read(_ key: Key, _ seal: Seal?) async throws(BackupError) -> [UInt8] {
        guard let seal else { return try await storage.read(key) }
        var flow = try Flow(try await storage.open(key), Chain([try seal.decoder()], blockSize: 64 << 10))
        return try await flow.readAll()
    }

    private func encrypted(_ bytes: [UInt8], _ seal: Seal?) async throws(BackupError) -> [UInt8] {
        guard let seal else { return bytes }
        var flow = try Flow(BytesSource(bytes), Chain([try seal.encoder()], blockSize: 64 << 10))
        return try await flow.readAll()
    }

    // MARK: Info files: a main file and its copy

    /// An info file as it was read.
    struct File {
        /// Decrypted.
        let bytes: [UInt8]
        /// What the header says that stood in front of it; nil: it is not encrypted.
        let formatOfHeader: Int?

        /// Throws `.format` (29) unless the header says what the content does, which nobody vouches for.
        func require(_ format: Int) throws(BackupError) {
            guard let formatOfHeader, formatOfHeader != format else { return }
            throw BackupError(
                .format, "repository format \(format) does not match header format \(formatOfHeader)",
                hint: "was the file put together of two? put it back from another copy of the repository.")
        }
    }

    /// Loads the main file or, when that fails for any reason, the copy. `load` parses it.
    /// nil when both are missing; the error of the main file (or of the one that is there) when both fail (section 2.4).
    func loadPair<Info>(
        _ key: Key, _ seal: Seal?, _ log: Log, _ load: (File) throws(BackupError) -> Info
    ) async throws(BackupError) -> Info? {
        try await loadEither(key, log) { (key) throws(BackupError) in try load(try await file(key, seal)) }
    }

    private func file(_ key: Key, _ seal: Seal?) async throws(BackupError) -> File {
        let stored = try await storage.read(key)
        guard let seal else { return File(bytes: stored, formatOfHeader: nil) }
        var flow = try Flow(BytesSource(stored), Chain([try seal.decoder()], blockSize: 64 << 10))
        return File(bytes: try await flow.readAll(), formatOfHeader: seal.format(ofObject: stored))
    }

    /// The same for what is not read as a whole.
    func loadEither<Info>(
        _ key: Key, _ log: Log, _ load: (Key) async throws(BackupError) -> Info
    ) async throws(BackupError) -> Info? {
        var failures: [BackupError] = []
        for suffix in ["", Layout.copySuffix] {
            do throws(BackupError) {
                let info = try await load(key + suffix)
                for failure in failures where failure.code != .notFound { log.warn("\(name): \(failure.message); the copy is used") }
                return info
            } catch {
                failures.append(explain(error, key + suffix))
            }
        }
        guard let failure = failures.first(where: { $0.code != .notFound }) else { return nil }
        throw failure
    }

    /// Says which file it was and, for what looks like a wrong key, what to check.
    private func explain(_ error: BackupError, _ key: Key) -> BackupError {
        if error.code == .notFound { return error }
        let path = "\(storage.location)/\(key)"
        // What names the file already needs no second naming.
        var error = error.message.contains("'\(path)'") ? error : error.during("unable to load info file '\(path)'")
        if error.hint == nil, [.crypto, .format, .corrupt, .checksum].contains(error.code) {
            error.hint =
                seal == nil
                ? "is or was the repository encrypted? (\(name)-cipher-type is none)"
                : "is '\(name)-cipher-pass' the passphrase of this repository, and is the repository encrypted?"
        }
        return error
    }

    /// Writes the main file, then exactly the same content to the copy.
    func savePair(_ key: Key, _ bytes: [UInt8], _ seal: Seal?) async throws(BackupError) {
        let stored = try await encrypted(bytes, seal)
        try await storage.put(key, bytes: stored)
        try await storage.put(key + Layout.copySuffix, bytes: stored)
    }
}

extension Encryption {
    /// As the options of a repository say; nil when it is not encrypted.
    init?(_ options: Options, _ index: Int) throws(BackupError) {
        let cipher = options[CodecOptions.cipherType, index]
        if cipher == "none" { return nil }
        self.init(cipher: cipher, passphrase: try options.required(CodecOptions.cipherPass, index))
    }
}

extension BackupError {
    /// For a list of what went wrong in several repositories: says which one, once.
    func text(of repository: String) -> String { message.hasPrefix("\(repository): ") ? description : "\(repository): \(description)" }
}
