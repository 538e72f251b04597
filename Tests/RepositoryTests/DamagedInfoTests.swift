import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Manifests and info files changed at random, signed or not: each is refused with an error or can be used. The seed of a run that
/// crashes is the argument that was shown last.
struct DamagedInfoTests {
    private static let seeds: [UInt64] = [21, 22, 23, 24]
    /// Bytes to read in all: large files are changed less often.
    private static let budget = 2 << 20

    private func change(
        _ file: [UInt8], _ seed: UInt64, _ use: (_ bytes: [UInt8], _ checksum: any Checksum) throws -> Void
    ) throws {
        try use(file, try Golden.sha1())
        let signed = FixedChecksum.sign(file)
        var random = Seeded(seed)
        var used = 0
        let changes = min(600, Self.budget / file.count)
        for _ in 0..<changes {
            let bytes = Mutation.text(signed, &random)
            do {
                try use(bytes, FixedChecksum())
                used += 1
            } catch let error as BackupError {
                #expect(error.code.exitStatus > 0 && error.code.exitStatus < 126)
                #expect(!error.message.isEmpty)
            }
        }
        #expect(used > 0 && used < changes, "\(used)")
    }

    @Test(arguments: ["tiny-none", "tiny-none-bundle-block", "format6-none"], seeds)
    func manifest(_ repository: String, _ seed: UInt64) throws {
        try change(try Golden.file("backup/demo/*F/backup.manifest", of: repository), seed) { bytes, checksum in
            var manifest = try Manifest(bytes, checksum, in: nil)
            // What the commands compute from it.
            _ = manifest.totalSize
            for file in manifest.files { _ = manifest.location(of: file, Layout(stanza: "demo"), suffix: ".zst")?.range }
            let summary = BackupSummary(manifest)
            #expect(summary.object["backup-info-repo-size"]?.uint != nil)
            for seconds in [manifest.timestampStart, manifest.timestampStop, manifest.timestampCopyStart] { _ = localTimeWithZone(seconds) }
            // What was read can be written, and is the same when it is read again.
            let written = try manifest.bytes(try Golden.sha1(), version: "2.45")
            let again = try Manifest(written, try Golden.sha1(), in: nil)
            #expect(again.files.map(\.name) == manifest.files.map(\.name))
            #expect(again.files.map(\.size) == manifest.files.map(\.size))
            #expect(try again.bytes(try Golden.sha1(), version: "2.45") == written)
            var notes = RestoreNotes(log: nil)
            try manifest.remap(dataPath: "/data", Options(), &notes)
        }
    }

    @Test(arguments: ["tiny-none", "real-A", "format6-none"], seeds)
    func backupInfo(_ repository: String, _ seed: UInt64) throws {
        try change(try Golden.file("backup/demo/backup.info", of: repository), seed) { bytes, checksum in
            var info = try BackupInfo(bytes, checksum, in: nil)
            _ = info.history.current.archiveID
            for backup in info.backups {
                _ = (backup.type, backup.prior, backup.references, backup.databaseID)
                _ = localTimeWithZone(backup.timestampStart) + localTimeWithZone(backup.timestampStop)
                for key in ["backup-info-size", "backup-info-repo-size"] { _ = roundedSize(backup.object[key]?.uint ?? 0) }
            }
            let written = try info.bytes(try Golden.sha1(), version: "2.45")
            #expect(try BackupInfo(written, try Golden.sha1(), in: nil).backups.map(\.label) == info.backups.map(\.label))
            if let first = info.backups.first { _ = info.remove(first.label) }
        }
    }

    @Test(arguments: seeds)
    func archiveInfo(_ seed: UInt64) throws {
        try change(try Golden.file("archive/demo/archive.info"), seed) { bytes, checksum in
            let info = try ArchiveInfo(bytes, checksum, in: nil)
            let written = try info.bytes(try Golden.sha1(), version: "2.45")
            #expect(try ArchiveInfo(written, try Golden.sha1(), in: nil).history == info.history)
        }
    }

    /// With the keys of the archive, ten of them.
    @Test(arguments: seeds)
    func archiveInfoWithKeys(_ seed: UInt64) async throws {
        let golden = try GoldenRepository("format6-rotated-cipher")
        let outer = golden.stanza.seal
        let plain = try await golden.stanza.repository.read(golden.stanza.layout.archiveInfo, outer)
        try change(plain, seed) { bytes, checksum in
            let info = try ArchiveInfo(bytes, checksum, in: outer)
            _ = try info.seal?.decoder()
            let again = try ArchiveInfo(try info.bytes(try Golden.sha1(), version: "2.60"), try Golden.sha1(), in: outer)
            #expect(again.seal?.keys == info.seal?.keys && again.format == info.format)
        }
    }
}
