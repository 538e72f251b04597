// A file of a backup: where it belongs in the cluster, what it held, and where its bytes are.

import BackstopCore

/// 120 bytes, whatever the length of its name: manifests hold a million of them. What few files have is kept apart.
struct StoredFile: Sendable {
    let name: ManifestName
    /// Bytes of the content as stored.
    var size: UInt64
    /// Bytes when the list was made.
    var originalSize: UInt64
    /// Modification time, Unix seconds.
    var timestamp: Int64
    /// Bytes of the stored form.
    var repositorySize: UInt64 = 0
    var attributes: FileAttributes
    private var rare: Rare?
    /// sha1 of the content; nil for an empty file and while it is not copied yet.
    var checksum: SHA1Value?
    /// sha1 of the stored form, where it differs from the content.
    var repositoryChecksum: SHA1Value?
    /// Nil: pages are not checked; false: some are wrong.
    var pagesValid: Bool?

    init(_ name: ManifestName, size: UInt64, timestamp: Int64, _ attributes: FileAttributes) {
        self.name = name
        self.size = size
        originalSize = size
        self.timestamp = timestamp
        self.attributes = attributes
    }

    /// Takes over what an earlier backup stored, and where that is. `own`: an entry of any file that has the reference of that backup itself
    /// and nothing else out of the ordinary.
    mutating func inherit(_ earlier: StoredFile, own: StoredFile) {
        (size, repositorySize) = (earlier.size, earlier.repositorySize)
        (checksum, repositoryChecksum, pagesValid) = (earlier.checksum, earlier.repositoryChecksum, earlier.pagesValid)
        // One object for all files that have nothing else.
        rare = earlier.rare ?? own.rare
        if earlier.reference == nil, earlier.rare != nil { reference = own.reference }
    }

    /// Takes over what an earlier run of the same backup stored.
    mutating func resume(_ earlier: StoredFile) {
        (size, repositorySize) = (earlier.size, earlier.repositorySize)
        (checksum, repositoryChecksum, pagesValid) = (earlier.checksum, earlier.repositoryChecksum, earlier.pagesValid)
        rare = earlier.rare
    }

    var mode: UInt32 { attributes.mode }
    var owner: Manifest.Owner { attributes.owner }

    // MARK: What few files have

    private struct Values: Equatable {
        var reference: Int?
        var bundle: UInt64?
        var bundleOffset: UInt64 = 0
        var blockSize: UInt64 = 0
        var blockChecksumSize = 6
        var blockMapSize: UInt64?
        var pageErrors: [ClosedRange<UInt32>] = []
    }

    private final class Rare: Sendable {
        let values: Values
        init(_ values: Values) { self.values = values }
    }

    private static let usual = Values()

    private subscript<Value>(_ path: WritableKeyPath<Values, Value>) -> Value {
        get { (rare?.values ?? Self.usual)[keyPath: path] }
        set {
            var values = rare?.values ?? Self.usual
            values[keyPath: path] = newValue
            rare = values == Self.usual ? nil : Rare(values)
        }
    }

    /// Index into the manifest's `references` of the backup that holds the bytes; nil: this one.
    var reference: Int? {
        get { self[\.reference] }
        set { self[\.reference] = newValue }
    }
    /// Nil: not in a bundle.
    var bundle: UInt64? {
        get { self[\.bundle] }
        set { self[\.bundle] = newValue }
    }
    var bundleOffset: UInt64 {
        get { self[\.bundleOffset] }
        set { self[\.bundleOffset] = newValue }
    }
    /// Bytes of a block of a block-incremental file; 0: none.
    var blockSize: UInt64 {
        get { self[\.blockSize] }
        set { self[\.blockSize] = newValue }
    }
    /// Bytes of a block checksum.
    var blockChecksumSize: Int {
        get { self[\.blockChecksumSize] }
        set { self[\.blockChecksumSize] = newValue }
    }
    /// nil: none, or not yet cut into blocks.
    var blockFormat: BlockFormat? { blockSize == 0 ? nil : BlockFormat(size: blockSize, checksumSize: blockChecksumSize) }
    /// Stored bytes of the block map; nil: stored whole.
    var blockMapSize: UInt64? {
        get { self[\.blockMapSize] }
        set { self[\.blockMapSize] = newValue }
    }
    var pageErrors: [ClosedRange<UInt32>] {
        get { self[\.pageErrors] }
        set { self[\.pageErrors] = newValue }
    }
}
