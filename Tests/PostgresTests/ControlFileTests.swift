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
    bytes.setNumber(checksums, at: layout.checksumState)
    return signed(bytes, crcAt: crcAt ?? layout.crc)
}

/// A pg_control with numbers at other places, and the checksum that fits.
func patched(_ control: [UInt8], _ numbers: KeyValuePairs<Int, UInt32>, crcAt: Int) -> [UInt8] {
    var bytes = control
    for (offset, number) in numbers { bytes.setNumber(number, at: offset) }
    return signed(bytes, crcAt: crcAt)
}

private func signed(_ control: [UInt8], crcAt: Int) -> [UInt8] {
    var bytes = control
    var crc = CRC32C()
    crc.update(bytes[..<crcAt])
    bytes.setNumber(crc.value, at: crcAt)
    return bytes
}

/// The error that `body` throws.
func failure(_ body: () throws(BackupError) -> Void) -> BackupError? {
    do throws(BackupError) {
        try body()
        return nil
    } catch {
        return error
    }
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
        #expect(control.hasPageChecksums)
        #expect(control.stored == makeControl(version))
        let restored = try ControlFile(control.storedWithoutCheckpoint)
        #expect(restored.checkpoint == ControlFile.impossibleCheckpoint)
        #expect(restored.systemID == control.systemID)
    }

    /// Only on and off are known; what pages look like in another state is not.
    @Test(arguments: PostgresLayout.all.map(\.version), [0, 1, 2, 3, UInt32.max])
    func checksumStates(_ version: PostgresVersion, _ state: UInt32) throws {
        let control = makeControl(version, checksums: state)
        if state <= 1 {
            #expect(try ControlFile(control).hasPageChecksums == (state == 1))
            #expect(try ControlFile(control, forced: version).hasPageChecksums == (state == 1))
        } else {
            for forced in [nil, version] {
                let error = failure { () throws(BackupError) in _ = try ControlFile(control, forced: forced) }
                #expect(error?.code == .format && error?.code.exitStatus == 29)
                #expect(error?.message == "page checksum version is \(state) but must be <= 1")
            }
        }
    }

    /// The pg_control of PostgreSQL 19rc1 that the golden repository has.
    private static func of19() throws -> [UInt8] {
        try Golden.file("tiny-pg19-zst", "backup/demo/20261125-234707F/pg_data/global/pg_control.zst")
    }

    @Test func golden19() throws {
        let bytes = try Self.of19()
        let control = try ControlFile(bytes)
        #expect(control.version == .v19 && control.controlVersion == 1905 && control.catalogVersion == 202_610_061)
        #expect(control.systemID == 7_712_256_639_397_153_815 && control.timeline == 1)
        #expect(control.pageSize == 8192 && control.segmentSize == 1 << 20 && control.hasPageChecksums)
        #expect(control.stored == bytes)
        #expect(control.version.tablespaceFolder(catalogVersion: control.catalogVersion) == "PG_19_202610061")
        #expect(try ControlFile(control.storedWithoutCheckpoint).checkpoint == ControlFile.impossibleCheckpoint)

        let name = "0000000100000000/000000010000000000000018-"
        let list = String(decoding: try Shell.run("tar", "tJf", "\(Golden.folder)/tiny-pg19-zst/repo.tar.xz"), as: UTF8.self)
        let segment = try #require(list.split(separator: "\n").first { $0.contains(name) })
        let header = try WALHeader(Array(try Golden.file("tiny-pg19-zst", String(segment)).prefix(40)))
        #expect(
            header == WALHeader(version: .v19, systemID: control.systemID, segmentSize: 1 << 20, timeline: 1, address: LSN(0x180_0000)))
    }

    /// What pgBackRest 2.60.0 says of the same patched files (postgres-19.md sections 1 and 3).
    @Test(
        arguments: [
            // numbers at their offsets; checksums on, or the error
            ([:], true, nil), ([12: 202_605_131], true, nil), ([12: 202_699_999], true, nil),
            // What initdb chose does not count.
            ([264: 1, 268: 0], false, nil), ([264: 0, 268: 1], true, nil), ([264: 2], true, nil),
            ([268: 2], nil, "page checksum version is 2 but must be <= 1"), ([268: 3], nil, "page checksum version is 3 but must be <= 1"),
            ([8: 1902], nil, "unexpected control version = 1902 and catalog version = 202610061"),
            ([8: 1904], nil, "unexpected control version = 1904 and catalog version = 202610061"),
            ([8: 1906], nil, "unexpected control version = 1906 and catalog version = 202610061"),
            ([8: 1902, 12: 202_605_131], nil, "unexpected control version = 1902 and catalog version = 202605131"),
            ([12: 202_605_130], nil, "unexpected control version = 1905 and catalog version = 202605130"),
            ([12: 202_700_000], nil, "unexpected control version = 1905 and catalog version = 202700000"),
        ] as [([Int: UInt32], Bool?, String?)])
    func patched19(_ numbers: [Int: UInt32], _ hasChecksums: Bool?, _ message: String?) throws {
        var control = try Self.of19()
        for (offset, number) in numbers { control = patched(control, [offset: number], crcAt: 308) }
        if let hasChecksums {
            #expect(try ControlFile(control).hasPageChecksums == hasChecksums)
        } else {
            let error = failure { () throws(BackupError) in _ = try ControlFile(control) }
            #expect(error?.message == message)
            #expect(error?.code.exitStatus == (message?.hasPrefix("unexpected") == true ? 46 : 29))
        }
    }

    /// The places of its betas are none of its own.
    @Test func checksumOfAnotherPlace() throws {
        let control = patched(try Self.of19(), [308: 0], crcAt: 304)
        #expect(code { () throws(BackupError) in _ = try ControlFile(control) } == .checksum)
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
