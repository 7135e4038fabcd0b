/**
 * What numeric fields of hot records begin with when they will hold addresses, sizes or times.
 *
 * V8 stores small integers and other numbers in different ways and gives an object another hidden
 * class when a field changes from one to the other, which throws away the machine code made so
 * far. Minus zero is no small integer and equals 0 in every comparison.
 */
export const double = -0;
