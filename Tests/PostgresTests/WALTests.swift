import BackstopCore
import Testing

@testable import BackstopCommands

@Suite struct WALTests {
    static let mega: UInt32 = 1 << 20

    @Test func locations() throws {
        #expect(try LSN("16/B374D848").value == 0x16_B374_D848)
        #expect(try LSN("0/0").description == "0/0")
        #expect(try LSN("ffffffff/ffffffff").description == "FFFFFFFF/FFFFFFFF")
        #expect(try LSN("0/1E00028") < LSN("1/0"))
        // PostgreSQL 19 writes eight digits; the place is the same, and the text stays.
        for (text, place) in [("0/01600028", "0/1600028"), ("16/0374D848", "16/374D848"), ("00000001/00000000", "1/0"), ("0/a", "0/A")] {
            #expect(try LSN(text) == LSN(place) && LSN(text).description == place)
            let written = try WrittenLSN(text)
            #expect(written.description == text && written.lsn.description == place)
        }
        #expect(try LSN("0/FFFFFFFF") < LSN("00000001/00000000") && LSN("0/00000009") < LSN("0/A") && LSN("0/01000000") > LSN("0/FFFFFF"))
        for text in ["", "/", "1", "1/", "/1", "1/2/3", "1/+2", "-1/2", "1/G", "123456789/0", "1/ 2"] {
            #expect(code { () throws(BackupError) in _ = try LSN(text) } == .format, "\(text)")
            #expect(code { () throws(BackupError) in _ = try WrittenLSN(text) } == .format, "\(text)")
        }
    }

    @Test(arguments: [
        (mega, "00000001000000000000000F", "000000010000000000000010"),
        (mega, "000000010000000000000FFF", "000000010000000100000000"),
        (16 * mega, "0000000100000000000000FE", "0000000100000000000000FF"),
        (16 * mega, "0000000100000000000000FF", "000000010000000100000000"),
        (16 * mega, "0000000AFFFFFFFE000000FF", "0000000AFFFFFFFF00000000"),
        (64 * mega, "00000001000000000000003F", "000000010000000100000000"),
        (1024 * mega, "000000020000000A00000002", "000000020000000A00000003"),
        (1024 * mega, "000000020000000A00000003", "000000020000000B00000000"),
    ])
    func nextSegment(size: UInt32, name: String, next: String) throws {
        let segment = try #require(WALSegment(name))
        #expect(segment.name == name)
        #expect(segment.next(segmentSize: size).name == next)
        #expect(WALSegment(timeline: segment.timeline, of: segment.start(segmentSize: size), segmentSize: size) == segment)
        let last = LSN(segment.start(segmentSize: size).value + UInt64(size) - 1)
        #expect(WALSegment(timeline: segment.timeline, of: last, segmentSize: size) == segment)
    }

    @Test func lists() throws {
        func names(_ first: String, _ last: String, _ size: UInt32) throws -> [String] {
            WALSegment.list(timeline: 1, from: try LSN(first), through: try LSN(last), segmentSize: size).map(\.name)
        }
        #expect(try names("0/2000028", "0/2000100", 16 * Self.mega) == ["000000010000000000000002"])
        #expect(
            try names("0/FE000028", "1/1000000", 16 * Self.mega) == [
                "0000000100000000000000FE", "0000000100000000000000FF", "000000010000000100000000", "000000010000000100000001",
            ])
        #expect(try names("1/0", "0/FE000028", 16 * Self.mega) == [])
        #expect(try names("0/0", "1/FFFFFFFF", Self.mega).count == 8192)
        #expect(try names("0/C0000000", "1/0", 1024 * Self.mega) == ["000000010000000000000003", "000000010000000100000000"])
    }

    @Test func strictNames() {
        for name in [
            "", "00000001000000000000000", "00000001000000000000000f", "0000000100000000000000000", "00000001000000000000000G",
            "+0000001000000000000000F",
        ] {
            #expect(WALSegment(name) == nil, "\(name)")
            #expect(WALFileName(name) == .other, "\(name)")
        }
    }

    @Test func classes() throws {
        let segment = try #require(WALSegment("0000001A0000000000000002"))
        #expect(segment.timeline == 26)
        #expect(segment.folder == "0000001A00000000")
        #expect(WALFileName("0000001A0000000000000002") == .segment(segment))
        #expect(WALFileName("0000001A0000000000000002.partial") == .partial(segment))
        #expect(WALFileName("0000001A0000000000000002.00000028.backup") == .backup(segment, offset: 0x28))
        #expect(WALFileName("0000001A.history") == .history(timeline: 26))
        for name in [
            "0000001A0000000000000002.backup", "0000001a.history", "1A.history", ".history", "0000001A0000000000000002.partial.x",
            "0000001A0000000000000002.", "0000001A0000000000000002.28.backup", "RECOVERYXLOG",
        ] {
            #expect(WALFileName(name) == .other, "\(name)")
        }
    }

    @Test func headers() throws {
        func header(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: 40)
            bytes.setNumber(UInt16(0xD116), at: 0)
            bytes.setNumber(UInt16(7), at: 2)
            bytes.setNumber(UInt64(42), at: 24)
            bytes.setNumber(16 * Self.mega, at: 32)
            change(&bytes)
            return bytes
        }
        func failure(_ bytes: [UInt8]) -> BackupError.Code? { code { () throws(BackupError) in _ = try WALHeader(bytes) } }
        #expect(try WALHeader(header()) == WALHeader(version: .v17, systemID: 42, segmentSize: 16 * Self.mega))
        #expect(try WALHeader(header { $0[0] = 0xEE }, forced: .v16).version == .v16)
        #expect(failure(header { $0[0] = 0xEE }) == .versionNotSupported)
        // Betas of 19.
        #expect(failure(header { $0.setNumber(UInt16(0xD121), at: 0) }) == .versionNotSupported)
        #expect(failure(header { $0[2] = 0x05 }) == .format)
        #expect(failure(header { $0.setNumber(UInt32(3), at: 32) }) == .format)
        #expect(failure(header { $0.setNumber(UInt32(1) << 31, at: 32) }) == .format)
        #expect(failure(Array(header().prefix(39))) == .format)
    }

    @Test func history() throws {
        let history = try TimelineHistory("1\t0/1B02D28\tno recovery target specified\n\n# note\n  2\t0/3000000\tat restore point \"x\"\n")
        #expect(history.switches.map(\.timeline) == [1, 2])
        #expect(history.end(of: 2) == LSN(0x300_0000))
        #expect(history.end(of: 3) == nil)
        #expect(history.reaches(from: 1, at: LSN(0x1B0_2D27)))
        #expect(!history.reaches(from: 1, at: LSN(0x1B0_2D28)))
        #expect(!history.reaches(from: 3, at: LSN(0)))
        let padded = try TimelineHistory("1\t0/01B02D28\tno recovery target specified\n2\t00000000/03000000\tx\n")
        #expect(padded.end(of: 1) == history.end(of: 1) && padded.end(of: 2) == history.end(of: 2))
        #expect(try TimelineHistory("").switches.isEmpty)
        #expect(TimelineHistory.fileName(26) == "0000001A.history")
        for text in ["1", "x\t0/1\t", "1\t0\t", "2\t0/1\tx\n1\t0/2\tx", "0x1\t0/1\tx"] {
            #expect(code { () throws(BackupError) in _ = try TimelineHistory(text) } == .format, "\(text)")
        }
    }

    @Test
    func goldenHistory() throws {
        let text = String(decoding: try Golden.file("real-A", "archive/demo/15-1/00000002.history"), as: UTF8.self)
        #expect(try TimelineHistory(text).switches.map(\.timeline) == [1])
    }
}
