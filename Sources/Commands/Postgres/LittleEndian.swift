// Numbers in the files of PostgreSQL, which are those of a little-endian machine.

extension Array<UInt8> {
    func number<Number: FixedWidthInteger>(at offset: Int, as: Number.Type = Number.self) -> Number {
        var number: Number = 0
        for index in (0..<Number.bitWidth / 8).reversed() { number = number << 8 | Number(truncatingIfNeeded: self[offset + index]) }
        return number
    }

    mutating func setNumber(_ number: some FixedWidthInteger, at offset: Int) {
        for index in 0..<number.bitWidth / 8 { self[offset + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
    }
}
