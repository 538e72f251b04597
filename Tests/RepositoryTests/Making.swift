// Values of the repository as the lines of a test write them.

@testable import BackstopCommands
@testable import BackstopCore

func label(_ text: String) -> BackupLabel { BackupLabel(text)! }

func storedFile(_ name: String, size: UInt64, stored: UInt64 = 0, mode: UInt32 = 0o600, _ user: String? = nil, _ group: String? = nil)
    -> StoredFile
{
    let attributes = FileAttributes(mode: mode, owner: Manifest.Owner(user: user, group: group))
    var file = StoredFile(ManifestName(name), size: size, timestamp: 0, attributes)
    file.repositorySize = stored
    return file
}

func manifest(_ text: String = "20261121-033952F") -> Manifest {
    Manifest(label(text), of: .init(id: 1, identity: ClusterIdentity(systemID: 1, version: .v15)))
}

/// pg_control of the cluster that a `MemoryArchive` belongs to, with pages of 8 KiB that carry checksums.
func controlFile() throws -> ControlFile {
    let layout = PostgresVersion.v15.layout
    var bytes = [UInt8](repeating: 0, count: ControlFile.fileSize)
    bytes.setNumber(MemoryArchive.identity.systemID, at: 0)
    bytes.setNumber(layout.controlVersion, at: 8)
    bytes.setNumber(layout.catalogVersions.lowerBound, at: 12)
    bytes.setNumber(UInt32(8192), at: layout.pageSize)
    bytes.setNumber(UInt32(16 << 20), at: layout.segmentSize)
    bytes.setNumber(UInt32(1), at: layout.checksumState)
    var crc = CRC32C()
    crc.update(bytes[..<layout.crc])
    bytes.setNumber(crc.value, at: layout.crc)
    return try ControlFile(bytes)
}

extension Manifest {
    /// From the whole text.
    init(_ bytes: [UInt8], _ sha1: any Checksum, in outer: Seal?) throws(BackupError) {
        var reader = Reader()
        let format = try InfoFile.read(bytes, sha1) { (section, key, value) throws(BackupError) in try reader.add(section, key, value) }
        self = try reader.finish(in: outer, format: format)
    }

    /// The whole text.
    func bytes(_ sha1: any Checksum, version: String) throws -> [UInt8] {
        var writer = InfoFileWriter(sha1)
        var entries = ManifestEntries(self, version: version)
        while entries.next(into: &writer) {}
        return try writer.finish()
    }
}
