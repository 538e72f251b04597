import BackstopCore
import Testing

@testable import BackstopCommands

/// What archive-push and archive-get decide, without any archive.
@Suite struct ArchiveRuleTests {
    static let mega: UInt32 = 1 << 20

    // MARK: archive-push

    /// Size of the file, size in the header, timeline and address of the first page, name, whether it is the segment.
    @Test(
        arguments: [
            (16, 16, 1, "0/1000000", "000000010000000000000001", true),
            (1, 1, 1, "0/100000", "000000010000000000000001", true),
            (1024, 1024, 3, "A/C0000000", "000000030000000A00000003", true),
            (64, 64, 1, "1/0", "000000010000000100000000", true),
            // The first segment of a timeline begins with what was copied from the one that was left.
            (16, 16, 1, "0/3000000", "000000030000000000000003", true),
            // Half of it, cut in the last page, and too long.
            (8, 16, 1, "0/1000000", "000000010000000000000001", false),
            (15, 16, 1, "0/1000000", "000000010000000000000001", false),
            (17, 16, 1, "0/1000000", "000000010000000000000001", false),
            // Another one under this name.
            (16, 16, 1, "0/2000000", "000000010000000000000001", false),
            (16, 16, 1, "1/1000000", "000000010000000000000001", false),
            (16, 16, 2, "0/1000000", "000000010000000000000001", false),
            (16, 16, 0, "0/1000000", "000000010000000000000001", false),
            (1, 1, 1, "0/1000000", "000000010000000000000001", false),
        ] as [(UInt32, UInt32, UInt32, String, String, Bool)])
    func segments(size: UInt32, segmentSize: UInt32, timeline: UInt32, address: String, name: String, isRight: Bool) throws {
        let header = WALHeader(
            version: .v15, systemID: 1, segmentSize: segmentSize * Self.mega, timeline: timeline, address: try LSN(address))
        let segment = try #require(WALSegment(name))
        let failure = code { () throws(BackupError) in try header.require(segment, size: UInt64(size * Self.mega)) }
        #expect(failure == (isRight ? nil : .fileInvalid))
        // A byte decides.
        if isRight {
            let short = UInt64(size * Self.mega) - 1
            #expect(code { () throws(BackupError) in try header.require(segment, size: short) } == .fileInvalid)
        }
    }

    @Test func fieldsOfTheFirstPage() throws {
        var bytes = [UInt8](repeating: 0, count: 40)
        bytes.setNumber(UInt16(0xD110), at: 0)
        bytes.setNumber(UInt16(2), at: 2)
        bytes.setNumber(UInt32(7), at: 4)
        bytes.setNumber(UInt64(0x1_0200_0000), at: 8)
        bytes.setNumber(UInt64(42), at: 24)
        bytes.setNumber(16 * Self.mega, at: 32)
        let header = try WALHeader(bytes)
        #expect(header.timeline == 7)
        #expect(header.address.description == "1/2000000")
    }

    private static let fork = "1\t0/3000000\tno recovery target specified\n"
    private static let history = "00000002.history", backup = "000000010000000000000002.00000028.backup"

    @Test func presentFiles() throws {
        func decide(_ name: String, _ new: String, _ present: PresentFile.Content) throws(BackupError) -> String {
            switch try PresentFile.decide(name, new: Array(new.utf8), present, in: "repo1") {
            case .keep(nil): "keep"
            case .keep: "keep and say so"
            case .replace: "replace"
            }
        }
        func bytes(_ text: String) -> PresentFile.Content { .bytes(Array(text.utf8)) }
        for name in [Self.history, Self.backup] {
            #expect(try decide(name, Self.fork, bytes(Self.fork)) == "keep")
            #expect(try decide(name, Self.fork, .damaged) == "replace")
        }
        #expect(try decide(Self.backup, "new", bytes("old")) == "replace")
        #expect(try decide(Self.backup, "new", .hidden) == "keep and say so")
        #expect(try decide(Self.history, Self.fork, bytes("1\t0/3000000\tat restore point \"x\"\n")) == "keep and say so")
        // What nobody could follow.
        for text in ["", "# nothing\n", "1\n", "\u{1}\u{2}"] {
            #expect(try decide(Self.history, Self.fork, bytes(text)) == "replace", "\(text)")
        }
        for text in ["1\t0/3000001\tno recovery target specified\n", "1\t0/1000000\tx\n2\t0/3000000\tx\n", "2\t0/3000000\tx\n"] {
            #expect(
                code { () throws(BackupError) in _ = try PresentFile.decide(Self.history, new: Array(Self.fork.utf8), bytes(text), in: "") }
                    == .archiveDuplicate)
        }
        #expect(
            code { () throws(BackupError) in _ = try PresentFile.decide(Self.history, new: [], bytes(Self.fork), in: "") }
                == .archiveDuplicate)
        #expect(code { () throws(BackupError) in _ = try PresentFile.decide(Self.history, new: [], .hidden, in: "") } == .denied)
    }

    // MARK: archive-get

    /// No error may read as the end of the archive, whatever its kind.
    @Test(arguments: BackupError.Code.allCases)
    func statuses(_ code: BackupError.Code) {
        func status(_ signal: Int32 = 0, continues: Bool = false, isStandby: Bool = false) -> Int32 {
            RecoveryStatus.decide(code, signal: signal, continues: continues, isStandby: isStandby)
        }
        #expect(status() == 200)
        #expect(status(continues: true) == code.exitStatus)
        #expect(status(isStandby: true) == code.exitStatus)
        #expect(status(15) == (code == .cancelled ? 143 : 200))
        #expect(status(15, isStandby: true) == code.exitStatus)
    }

    @Test(arguments: [
        ("standby_mode = 'on'\n", true), ("standby_mode = on", true), ("  STANDBY_MODE='on'", true), ("standby_mode 'true'\n", true),
        ("standby_mode = yes # for now", true), ("standby_mode=1", true), ("standby_mode = 't'", true), ("standby_mode=off", false),
        ("standby_mode = 'on'\nstandby_mode = 'off'\n", false), ("standby_mode = 'off'\n# x\nstandby_mode = 'on'\n", true),
        ("#standby_mode = on", false), ("restore_command = 'standby_mode = on'", false), ("standby_mode_x = on", false),
        ("standby_mode = ''", false), ("standby_mode", false), ("", false), ("primary_conninfo = 'x'\r\nstandby_mode = 'on'\r\n", true),
    ])
    func standbyMode(_ text: String, _ isOn: Bool) { #expect(RecoveryStatus.isStandbyMode(text) == isOn) }

    @Test func askingAgain() {
        func waits(_ patience: Duration, _ problems: [BackupError.Code]) -> [Duration] {
            var again = AskingAgain(patience: patience)
            var elapsed = Duration.zero
            var waits: [Duration] = []
            while waits.count < 1000, let wait = again.next(after: problems, elapsed: elapsed) {
                waits.append(wait)
                elapsed += wait + .milliseconds(1)
            }
            return waits
        }
        let away = waits(.seconds(60), [.denied, .unavailable])
        #expect(away.prefix(4) == [.zero, .milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(away.count < 30 && away.allSatisfy { $0 <= .seconds(5) })
        #expect(away.reduce(.zero, +) > .seconds(59) && away.reduce(.zero, +) <= .seconds(60))
        // Reading it once more may help, waiting does not.
        #expect(waits(.seconds(60), [.checksum]) == [.zero])
        #expect(waits(.seconds(60), [.checksum, .io]).count > 1)
        #expect(waits(.seconds(60), [.denied]).isEmpty)
        #expect(waits(.seconds(60), [.archiveMismatch]).isEmpty)
        #expect(waits(.zero, [.unavailable]).isEmpty)
    }
}
