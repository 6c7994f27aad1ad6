// Formulas as MathML, which browsers set on their own.

const escape = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

export const mi = (text) => `<mi>${escape(text)}</mi>`;
export const bold = (text) => `<mi mathvariant="bold" class="bold">${escape(text)}</mi>`;
export const mn = (number) => `<mn>${escape(number)}</mn>`;
export const mo = (text) => `<mo>${escape(text)}</mo>`;
export const mt = (text) => `<mtext>${escape(text)}</mtext>`;
export const row = (...parts) => `<mrow>${parts.join("")}</mrow>`;
export const sub = (base, below) => `<msub>${base}${below}</msub>`;
export const sup = (base, above) => `<msup>${base}${above}</msup>`;
export const frac = (above, below) => `<mfrac>${above}${below}</mfrac>`;
export const sqrt = (inside) => `<msqrt>${inside}</msqrt>`;
export const sum = (below) => (below ? `<munder><mo>∑</mo>${below}</munder>` : mo("∑"));
export const formula = (...parts) => `<math display="block">${row(...parts)}</math>`;

/** A number as the page prints it, with a true minus. */
export const said = (number, digits = 3) => (Object.is(+number.toFixed(digits), -0) ? 0 : number).toFixed(digits).replace("-", "−");

/** A number in a formula that stands behind another one: negative ones in parentheses. */
export const factor = (number, digits = 3) =>
  number < 0 ? row(mo("("), mn(said(number, digits)), mo(")")) : mn(said(number, digits));
