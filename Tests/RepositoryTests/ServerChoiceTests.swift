import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Which server a backup begins on, and which one its files come from.
struct ServerChoiceTests {
    @Test(
        arguments: [
            ([1], [], .never, 1, nil), ([1], [2], .never, 1, nil), ([1], [2, 3], .preferred, 1, 2), ([2], [1, 3], .required, 2, 1),
            ([1], [], .preferred, 1, nil), ([], [3], .preferred, 3, nil), ([], [2, 3], .required, 2, nil),
        ] as [([Int], [Int], StandbyUse, Int, Int?)])
    func chosen(_ primaries: [Int], _ standbys: [Int], _ use: StandbyUse, _ main: Int, _ standby: Int?) throws {
        let choice = try ServerChoice(primaries: primaries, standbys: standbys, use)
        #expect(choice.main == main && choice.standby == standby)
    }

    @Test(
        arguments: [
            ([], [], .never, "unable to find primary cluster"), ([], [2], .never, "unable to find primary cluster"),
            ([], [], .required, "unable to find primary cluster"), ([1], [], .required, "unable to find standby cluster"),
            ([1, 2], [3], .never, "more than one primary cluster found: pg1, pg2"), ([1, 2], [3], .required, "more than one primary"),
        ] as [([Int], [Int], StandbyUse, String)])
    func refused(_ primaries: [Int], _ standbys: [Int], _ use: StandbyUse, _ text: String) {
        let error = #expect(throws: BackupError.self) { try ServerChoice(primaries: primaries, standbys: standbys, use) }
        #expect(error?.code == .dbConnect && error?.message.hasPrefix(text) == true, "\(String(describing: error))")
    }

    /// Files that may be written again with the same time get another one. `read`: seconds after the clock was looked at, which showed 100; the
    /// backup began at 90.
    @Test(
        arguments: [
            (98, 0, false, 98), (99, 0, false, 98), (100, 0, false, 99), (101, 0, false, 100), (100, 1, false, 99), (100, 2, false, 100),
            (150, 2, false, 149), (88, 0, true, 88), (89, 0, true, 88), (95, 30, true, 94),
        ] as [(Int64, Int, Bool, Int64)])
    func times(_ modified: Int64, _ read: Int, _ ofStandby: Bool, _ expected: Int64) {
        let now = ContinuousClock.now
        let clock = CopyClock(100, begun: 90, since: now)
        #expect(clock.time(modified, ofStandby: ofStandby, readAt: now + .seconds(read)) == expected)
    }
}
