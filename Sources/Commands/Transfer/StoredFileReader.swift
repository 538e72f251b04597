// The content of any file of a backup: stored whole, in a bundle, or as blocks.

import BackstopCore

/// Belongs to one worker: a chain for each framing that it meets, kept between files. What comes out is verified at its end.
final class StoredFileReader {
    private let manifest: Manifest
    private let repository: StanzaRepository
    private let coding: ObjectCoding
    private let readOver: UInt64
    private let expect: Expect
    private let normal: Chain
    private let raw: Chain
    /// For block-incremental files: their content is checked after it was put together.
    private let pieces: Chain
    private let content: Chain
    private let neighbours: NeighbourReader

    /// `readOver`: bytes between two files of a bundle, or two blocks, that are rather read than skipped. `watching`: see the content.
    init(
        _ manifest: Manifest, in repository: StanzaRepository, readOver: UInt64, watching: [any Tap] = []
    ) throws(BackupError) {
        self.manifest = manifest
        self.repository = repository
        self.readOver = readOver
        coding = ObjectCoding(try repository.registry.codec(manifest.settings.compressType), manifest.seal)
        expect = Expect(try repository.sha1())
        let looks: [Step] = [.tap(expect)] + watching.map { .tap($0) }
        normal = Chain(try coding.decoder(.normal) + looks)
        raw = Chain(try coding.decoder(.raw) + looks)
        pieces = Chain(try coding.decoder(.raw))
        content = Chain(looks)
        neighbours = NeighbourReader(repository.storage, readOver: readOver)
    }

    func location(of file: StoredFile) -> Manifest.Location? {
        manifest.location(of: file, repository.layout, suffix: coding.codec.suffix)
    }

    /// The content. `end`: where the neighbours in the bundle end that are going to be read next.
    func open(_ file: StoredFile, until end: UInt64 = 0) async throws(BackupError) -> BoundedSource<Flow> {
        BoundedSource(try await decoded(file, until: end), atMost: file.size)
    }

    /// All of it, verified, in memory; for small files. `attempt`: as in `explain`.
    func content(of file: StoredFile, _ attempt: String) async throws(BackupError) -> [UInt8] {
        do throws(BackupError) {
            var flow = try await open(file)
            return try await flow.readAll()
        } catch {
            throw explain(error, file, attempt)
        }
    }

    /// Lets go of the request that neighbours are read by.
    func close() { neighbours.close() }

    /// Names the file, the repository and the backup that holds the bytes; says what to do about damage. `attempt`: as in "restore '/path'".
    func explain(_ error: BackupError, _ file: StoredFile, _ attempt: String) -> BackupError {
        if error.code == .cancelled || error.code == .full || error.code == .denied { return error }
        let key = location(of: file)?.key ?? file.name.key
        var error = error.during("unable to \(attempt) from \(repository.name) file '\(repository.storage.location)/\(key)'")
        if error.code == .crypto { error.code = .format }
        if error.hint == nil, [.checksum, .corrupt, .format, .notFound].contains(error.code) {
            error.hint =
                "the file in the repository is damaged or missing: restore another backup with --set, or from another repository with --repo."
        }
        return error
    }

    private func decoded(_ file: StoredFile, until end: UInt64) async throws(BackupError) -> Flow {
        expect.next(digest: file.checksum?.description, size: file.size)
        guard let location = location(of: file) else { return try Flow(BytesSource([]), content) }
        if file.blockMapSize != nil { return try Flow(try await blocks(file), content) }
        let chain = location.framing == .raw ? raw : normal
        guard let range = location.range else { return try Flow(try await repository.storage.open(location.key), chain) }
        return try Flow(try await neighbours.open(location.key, range) { end }, chain)
    }

    private func blocks(_ file: StoredFile) async throws(BackupError) -> BlockSource {
        let (repository, references) = (repository, manifest.references)
        let map = try await repository.blockMap(of: file, references, in: manifest.label, manifest.seal)
        return BlockSource(repository.storage, map, blockSize: file.blockSize, chain: pieces, readOver: readOver) { reference, bundle in
            repository.layout.blocks(of: file.name, references[reference], bundle)
        }
    }
}

extension StanzaRepository {
    /// Where the bytes of a backup's files are; nil for those without.
    func locations(_ manifest: Manifest) throws(BackupError) -> (StoredFile) -> Manifest.Location? {
        let suffix = try registry.codec(manifest.settings.compressType).suffix
        return { manifest.location(of: $0, layout, suffix: suffix) }
    }
}
