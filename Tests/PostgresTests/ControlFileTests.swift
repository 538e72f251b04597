import BackstopCore
import Testing

@testable import BackstopCommands

@Suite struct VersionTests {
    @Test func textsAndNumbers() throws {
        #expect(try PostgresVersion("9.6") == .v9_6)
        #expect(try PostgresVersion("18").description == "18")
        #expect(try PostgresVersion(serverNumber: 90624).description == "9.6")
        #expect(try PostgresVersion(serverNumber: 150020) == .v15)
        #expect(PostgresVersion.v9_6 < .v10)
        for text in ["9.5", "20", "", "15.3", "x"] {
            #expect(code { () throws(BackupError) in _ = try PostgresVersion(text) } == .versionNotSupported)
        }
    }

    @Test func names() {
        #expect(PostgresVersion.v9_6.walFolder == "pg_xlog")
        #expect(PostgresVersion.v9_6.transactionFolder == "pg_clog")
        #expect(PostgresVersion.v10.walFolder == "pg_wal")
        #expect(PostgresVersion.v10.transactionFolder == "pg_xact")
        #expect(PostgresVersion.v15.tablespaceFolder(catalogVersion: 202_209_061) == "PG_15_202209061")
        #expect(PostgresVersion.v9_6.tablespaceFolder(catalogVersion: 201_608_131) == "PG_9.6_201608131")
    }
}

/// The code of the error that `body` throws.
func code(_ body: () throws(BackupError) -> Void) -> BackupError.Code? {
    do throws(BackupError) {
        try body()
        return nil
    } catch {
        return error.code
    }
}

/// A pg_control of any version with the fields that are read and a right checksum.
func makeControl(
    _ version: PostgresVersion, checksums: UInt32 = 1, pageSize: UInt32 = 8192, segmentSize: UInt32 = 16 << 20, crcAt: Int? = nil
) -> [UInt8] {
    let layout = version.layout
    var bytes = [UInt8](repeating: 0, count: 8192)
    bytes.setNumber(UInt64(7_123_456_789_012_345_678), at: 0)
    bytes.setNumber(layout.controlVersion, at: 8)
    bytes.setNumber(layout.catalogVersions.lowerBound, at: 12)
    bytes.setNumber(UInt64(0x12_3456_7890), at: 32)
    bytes.setNumber(UInt32(3), at: layout.timeline)
    bytes.setNumber(pageSize, at: layout.pageSize)
    bytes.setNumber(segmentSize, at: layout.segmentSize)
    bytes.setNumber(checksums, at: layout.checksumVersion)
    var crc = CRC32C()
    crc.update(bytes[..<(crcAt ?? layout.crc)])
    bytes.setNumber(crc.value, at: crcAt ?? layout.crc)
    return bytes
}

@Suite struct ControlFileTests {
    @Test func checkValueOfTheChecksum() {
        var crc = CRC32C()
        crc.update("123456789".utf8)
        #expect(crc.value == 0xE306_9283)
    }

    @Test(arguments: PostgresLayout.all.map(\.version))
    func everyVersion(_ version: PostgresVersion) throws {
        let control = try ControlFile(makeControl(version))
        #expect(control.version == version)
        #expect(control.systemID == 7_123_456_789_012_345_678)
        #expect(control.checkpoint == LSN(0x12_3456_7890))
        #expect(control.timeline == 3)
        #expect(control.pageSize == 8192)
        #expect(control.segmentSize == 16 << 20)
        #expect(control.checksumVersion == 1)
        #expect(control.hasPageChecksums)
        #expect(control.stored == makeControl(version))
        let restored = try ControlFile(control.storedWithoutCheckpoint)
        #expect(restored.checkpoint == ControlFile.impossibleCheckpoint)
        #expect(restored.systemID == control.systemID)
    }

    @Test func checksumsBeingSwitchedOn() throws {
        #expect(try !ControlFile(makeControl(.v19, checksums: 2)).hasPageChecksums)
        #expect(try !ControlFile(makeControl(.v18, checksums: 0)).hasPageChecksums)
    }

    @Test func refusals() {
        func parse(_ bytes: [UInt8], forced: PostgresVersion? = nil) -> BackupError.Code? {
            code { () throws(BackupError) in _ = try ControlFile(bytes, forced: forced) }
        }
        var flipped = makeControl(.v15)
        flipped[100] ^= 1
        #expect(parse(flipped) == .checksum)
        var unknown = makeControl(.v15)
        unknown.setNumber(UInt32(202_209_062), at: 12)
        #expect(parse(unknown) == .versionNotSupported)
        #expect(parse(Array(makeControl(.v15).prefix(511))) == .format)
        #expect(parse(makeControl(.v15, pageSize: 8191)) == .format)
        #expect(parse(makeControl(.v15, pageSize: 65536)) == .format)
        #expect(parse(makeControl(.v15, segmentSize: 512 << 10)) == .format)
        #expect(parse(makeControl(.v15, segmentSize: 17 << 20)) == .format)
        #expect(parse(flipped, forced: .v15) == .checksum)
    }

    @Test func forcedVersion() throws {
        var fork = makeControl(.v15, crcAt: 304)
        fork.setNumber(UInt32(9_999), at: 8)
        var crc = CRC32C()
        crc.update(fork[..<304])
        fork.setNumber(crc.value, at: 304)
        let control = try ControlFile(fork, forced: .v15)
        #expect(control.version == .v15)
        #expect(control.controlVersion == 9_999)
        #expect(try ControlFile(control.storedWithoutCheckpoint, forced: .v15).checkpoint.value == 0xDEAD)
    }

    @Test func retriesWhileTheFileChanges() async throws {
        var torn = makeControl(.v15)
        torn[50] ^= 1
        var tornOtherwise = makeControl(.v15)
        tornOtherwise[60] ^= 1
        var reads = [torn, tornOtherwise, torn, makeControl(.v15)]
        let control = try await ControlFile.read { () throws(BackupError) in reads.removeFirst() }
        #expect(control.timeline == 3)
        #expect(reads.isEmpty)

        var count = 0
        do throws(BackupError) {
            _ = try await ControlFile.read { () throws(BackupError) in
                count += 1
                return torn
            }
            Issue.record("a damaged file was accepted")
        } catch {
            #expect(error.code == .checksum)
        }
        #expect(count == 2)
    }

    @Test
    func golden() throws {
        let bytes = try Golden.file("tiny-none", "backup/demo/20261121-033951F/pg_data/global/pg_control")
        let control = try ControlFile(bytes)
        #expect(control.version == .v15)
        #expect(control.catalogVersion == 202_209_061)
        #expect(control.segmentSize == 1 << 20)
        #expect(control.pageSize == 8192)
        #expect(control.stored == bytes)

        let real = try ControlFile(try Golden.file("real-A", "backup/demo/20261121-033756F_20261121-033908I/pg_data/global/pg_control.gz"))
        #expect(real.timeline == 2)
        #expect(real.hasPageChecksums)

        let archive = "archive/demo/15-1/0000000100000000/00000001000000000000000F-9979dade3c9a187addb6b0b09fb169907e50460c"
        let header = try WALHeader(Array(try Golden.file("tiny-none", archive).prefix(40)))
        #expect(header == WALHeader(version: .v15, systemID: control.systemID, segmentSize: 1 << 20, timeline: 1, address: LSN(0xF0_0000)))
    }
}
