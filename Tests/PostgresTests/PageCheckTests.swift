import BackstopCore
import Testing

@testable import BackstopCommands

/// Pages of random bytes with right checksums, numbered from `first`.
func makePages(_ count: Int, size: Int = 8192, first: UInt32 = 0) -> [UInt8] {
    var random = SeededGenerator(state: UInt64(count) &* 31 &+ UInt64(size))
    var bytes: [UInt8] = []
    for index in 0..<count {
        var page = (0..<size / 8).flatMap { _ in
            let word = random.next()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
        page.setNumber(UInt16(1), at: 14)
        page.setNumber(referenceChecksum(page, first + UInt32(index)), at: 8)
        bytes += page
    }
    return bytes
}

struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

/// The specification, word for word.
func referenceChecksum(_ page: [UInt8], _ number: UInt32) -> UInt16 {
    let constants = """
        5b1f36e9 b8525960 02ab50aa 1de66d2a 79ff467a 9bb9f8a3 217e7cd2 83e13d2c f8d4474f e39eb970 42c6ae16 993216fa 7b093b5d 98daff3c f718902a 0b1c9cdb
        e58f764b 187636bc 5d7b3bb1 e73de7de 92bec979 cca6c0b2 304a0979 85aa43d4 783125bb 6ca8eaa2 e407eac6 4b5cfc3e 9fbf8c76 15ca20be f2ca9fd3 959bd756
        """
    var page = page
    page.setNumber(UInt16(0), at: 8)
    var lanes = constants.split(whereSeparator: \.isWhitespace).map { UInt32($0, radix: 16)! }
    for row in 0..<page.count / 128 + 2 {
        for lane in 0..<32 {
            let mixed = lanes[lane] ^ (row < page.count / 128 ? page.number(at: row * 128 + lane * 4, as: UInt32.self) : 0)
            lanes[lane] = (mixed &* 16_777_619) ^ (mixed >> 17)
        }
    }
    return UInt16((lanes.reduce(0, ^) ^ number) % 65535 + 1)
}

func feed(_ check: PageCheck, _ bytes: [UInt8], by step: Int = 1 << 20) {
    check.reset()
    for start in stride(from: 0, to: bytes.count, by: step) {
        bytes.withUnsafeBytes { all in
            let part = UnsafeRawBufferPointer(rebasing: all[start..<min(start + step, all.count)])
            check.update(RawSpan(_unsafeStart: part.baseAddress!, byteCount: part.count))
        }
    }
    check.finish()
}

@Suite struct PageCheckTests {
    @Test(arguments: [1024, 2048, 4096, 8192, 16384, 32768])
    func anyPageSizeInAnyPieces(size: Int) {
        let pages = makePages(9, size: size)
        var damaged = pages
        for page in [1, 3, 4, 5, 8] { damaged[page * size + 700 + page] ^= 4 }
        let check = PageCheck(pageSize: size)
        for step in [1 << 20, size, size - 1, size + 1, 37, 3 * size + 5] {
            feed(check, pages, by: step)
            #expect(check.isValid)
            feed(check, damaged, by: step)
            #expect(check.errors == [1...1, 3...5, 8...8])
            #expect(!check.isValid && !check.alignmentError)
        }
    }

    @Test func numbersOfALaterSegment() {
        let check = PageCheck()
        check.next(segment: 3)
        var pages = makePages(4, first: 3 * 131_072)
        feed(check, pages)
        #expect(check.isValid)
        pages[2 * 8192 + 100] ^= 1
        feed(check, pages)
        #expect(check.errors == [393_218...393_218])
        check.next(segment: 0)
        feed(check, pages)
        #expect(check.errors == [0...3])
    }

    @Test func newPages() {
        var pages = makePages(1) + [UInt8](repeating: 0, count: 2 * 8192)
        let check = PageCheck()
        feed(check, pages)
        #expect(check.isValid)
        for place in [8192, 2 * 8192 + 8191] {
            pages[place] = 1
            feed(check, pages)
            #expect(check.errors == [UInt32(place / 8192)...UInt32(place / 8192)])
            pages[place] = 0
        }
    }

    @Test func withoutHeaderCheck() {
        // An upper bound of zero is no sign of a new page here, a checksum of zero is.
        var page = makePages(1)
        page.setNumber(UInt16(0), at: 14)
        page.setNumber(referenceChecksum(page, 0), at: 8)
        let check = PageCheck(headerCheck: false)
        feed(check, page)
        #expect(check.isValid)
        page.setNumber(UInt16(0), at: 8)
        feed(check, page)
        #expect(check.errors == [0...0])
        let byHeader = PageCheck()
        feed(byHeader, page)
        #expect(byHeader.errors == [0...0])
        feed(check, [UInt8](repeating: 0, count: 8192))
        #expect(check.isValid)
    }

    @Test func alignment() {
        let check = PageCheck()
        var pages = makePages(2) + [1, 2, 3]
        pages[5000] ^= 1
        feed(check, pages)
        #expect(check.alignmentError && !check.isValid && check.errors.isEmpty)
        feed(check, [])
        #expect(check.isValid)
    }

    @Test func pagesReadAgain() {
        let pages = makePages(4)
        var torn = pages
        torn[8192 + 9] ^= 1
        let check = PageCheck()
        feed(check, torn, by: 5000)
        #expect(check.errors == [1...1])
        #expect(check.isGood(Array(pages[8192..<16384]), number: 1))
        #expect(!check.isGood(Array(torn[8192..<16384]), number: 1))
        #expect(!check.isGood(Array(pages[8192..<16384]), number: 2))
        #expect(!check.isGood([], number: 1))
    }

    @Test func paths() {
        for file in [
            "pg_data/global/1262", "pg_data/base/5/16384.3", "pg_data/base/5/2600_fsm", "pg_data/base/5/2600_vm.1", "pg_data/base/5/9_init",
            "pg_data/base/5/t3_16384", "pg_data/base/5/t3_16384_fsm",
            "pg_tblspc/16400/PG_15_202209061/5/1",
            "pg_tblspc/1/PG_9.6_201608131/5/1",
        ] {
            #expect(DatabasePath.hasPages(file), "\(file)")
        }
        for file in [
            "pg_data/global/pg_control", "pg_data/global/pg_filenode.map", "pg_data/base/5/PG_VERSION", "pg_data/base/1",
            "pg_data/base/x/1",
            "pg_data/base/5/a/1", "pg_data/PG_VERSION", "pg_data/pg_xact/0000", "PG_VERSION", "pg_tblspc/16400/1/5/1",
            "pg_tblspc/16400/PG_15_202209061/1",
            // An extension's, somebody's, what an interrupted command left.
            "pg_data/base/5/notes.txt", "pg_data/base/5/pg_filenode.map.tmp", "pg_data/global/pg_internal.init.77",
            "pg_data/base/5/16384.bak",
            "pg_data/base/5/16384~", "pg_data/base/5/16384_old", "pg_data/base/5/16384.1.2", "pg_data/base/5/t_16384",
            "pg_data/base/5/x_16384",
            "pg_data/base/5/_fsm", "pg_data/base/5/16384_fsm_vm", "pg_data/base/5/pgsql_tmp.3", "pg_data/base/5/.16384",
            "pg_data/base/5/16384.",
        ] {
            #expect(!DatabasePath.hasPages(file), "\(file)")
        }
        #expect(DatabasePath.segment(of: "pg_data/base/5/16384.3") == 3)
        #expect(DatabasePath.segment(of: "pg_data/base/5/16384") == 0)
        #expect(DatabasePath.segment(of: "pg_tblspc/16400/PG_9.6_1/5/16384") == 0)
        #expect(DatabasePath.segment(of: "pg_data/base/5/16384.x") == 0)
        #expect(DatabasePath.segment(of: "pg_data/base/5/16384.99999999999") == 0)
    }
}
