import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Labels stay in the order of time whatever the clocks do.
struct BackupLabelTests {
    private func choose(_ now: String, _ next: String, _ others: [String], prior: String? = nil) throws -> String {
        try BackupLabel.choose(
            prior == nil ? .full : .incr, prior: prior.map { label($0) }, now: now, next: next, others: others.map { label($0) }
        ).label.text
    }

    @Test func order() throws {
        #expect(try choose("20261126-101010", "20261126-101011", []) == "20261126-101010F")
        #expect(try choose("20261126-101010", "20261126-101011", ["20261126-101009F"]) == "20261126-101010F")
        #expect(try choose("20261126-101010", "20261126-101011", ["20261126-101010F"]) == "20261126-101011F")
        let set = ["20261126-101010F", "20261126-101010F_20261126-111111I"]
        #expect(try choose("20261126-111111", "20261126-111112", set, prior: set[1]) == "20261126-101010F_20261126-111112I")
        #expect(try choose("20261126-111110", "20261126-111111", set, prior: set[0]) == "20261126-101010F_20261126-111112I")
    }

    /// At the end of summer the clock shows 02:00 to 02:59 a second time.
    @Test func hourThatComesTwice() throws {
        #expect(try choose("20261025-020500", "20261025-020501", ["20261025-025500F"]) == "20261025-025501F")
        #expect(try choose("20261025-020500", "20261025-020501", ["20261025-025959F"]) == "20261025-030000F")
        #expect(try choose("20261231-235900", "20261231-235901", ["20261231-235959F"]) == "20270101-000000F")
        let set = ["20261024-020000F", "20261024-020000F_20261025-025500D"]
        #expect(try choose("20261025-020500", "20261025-020501", set, prior: set[0]) == "20261024-020000F_20261025-025501I")
    }

    @Test func farAhead() {
        for others in [["20261126-111112F"], ["20271126-101010F"], ["20269999-999999F"]] {
            #expect(throws: BackupError.self, "\(others)") { _ = try choose("20261126-101011", "20261126-101012", others) }
        }
    }

    @Test(
        arguments: [
            ("20261121-033952F", .full, "20261121-033952F"), ("20261121-033952F_20261122-010203D", .diff, "20261121-033952F"),
            ("20261121-033952F_20261122-010203I", .incr, "20261121-033952F"),
        ] as [(String, BackupType, String)])
    func parts(_ text: String, _ type: BackupType, _ full: String) {
        #expect(label(text).type == type && label(text).full.text == full && label(text).year == "2026" && "\(label(text))" == text)
    }

    @Test(arguments: [
        "", "latest", "20261121-033952", "20261121-033952D", "20261121-033952F_", "20261121-033952F_20261122-010203F",
        "20261121 033952F", "2026112a-033952F", "20261121-033952F_20261122-010203Ix", "20261121-033952F/..", "20261121-033952f",
    ])
    func noLabels(_ text: String) { #expect(BackupLabel(text) == nil) }

    @Test func sets() {
        let labels = ["20261121-033952F", "20261121-033952F_20261122-010203I", "20261121-033952F_20261123-010203D", "20261122-000000F"]
        #expect(labels.map { label($0) }.sorted().map(\.text) == labels)
    }
}
